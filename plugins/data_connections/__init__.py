"""The core of Connections: plain Python that knows files, rows and the ledger, and nothing of Airflow."""
