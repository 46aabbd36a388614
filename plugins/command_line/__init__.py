"""The command `connections`: what people and scripts do outside the screen."""
