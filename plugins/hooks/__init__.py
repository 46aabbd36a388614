"""What Airflow knows (connections, settings, object storage), handed to the core."""
