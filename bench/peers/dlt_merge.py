"""dlt merges the CSV files of a folder into PostgreSQL; run by the peer's own Python with FOLDER, STATE and URL."""

import json
import sys
import time
from pathlib import Path

import dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb

folder, state, url = sys.argv[1:]
pipeline = dlt.pipeline(
    pipeline_name="conversions",
    pipelines_dir=state,
    destination=dlt.destinations.postgres(url),
    dataset_name="merged",
)
began = time.perf_counter()
files = filesystem(bucket_url=Path(folder).as_uri(), file_glob="*.csv")
rows = (files | read_csv_duckdb(use_pyarrow=True)).with_name("conversions")
rows.apply_hints(write_disposition="merge", primary_key="OrderId")
pipeline.run(rows).raise_on_failed_jobs()
seconds = time.perf_counter() - began
with pipeline.sql_client() as client:
    counted = client.execute_sql("select count(*), sum(amount::numeric(12, 2))::text from conversions")
sys.stdout.write(json.dumps({"seconds": seconds, "rows": counted[0][0], "amount": counted[0][1]}) + "\n")
