"""The gateway: SFTP and FTP servers of our own, where partners put files for us and collect what we made for them."""
