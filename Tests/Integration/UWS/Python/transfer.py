"""A whole transfer by pyvo's client of asynchronous jobs: transfer.py URL TOKEN."""
import datetime
import sys

import requests
from pyvo.dal.tap import AsyncTAPJob

url, token = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Bearer " + token


def check(what, value):
    if not value:
        raise SystemExit("failed: " + what)


job = AsyncTAPJob.create(
    url, "unused", session=session, TYPE="copy", src_siteid="fake-a", src_filepath="/tree/3",
    dst_siteid="6", dst_filepath="/out", RUNID="by pyvo")
check("PENDING", job.phase == "PENDING")
check("an absolute URL of this server", job.url.startswith(url + "/async/"))
check("its parameters", {p.id_: p.content for p in job.job.parameters}["src_filepath"] == "/tree/3")
check("unknown ones", job.query == "unused")
job.query = "another"
check("changed", job.query == "another")
job.execution_duration = 3600
check("execution duration", job.execution_duration.to_value("s") == 3600)
job.destruction = datetime.datetime(2040, 1, 2, 3, 4, 5)
check("destruction", job.destruction.isot.startswith("2040-01-02T03:04:05"))
check("owner", job.owner)
check("run id", job.job.runid == "by pyvo")
check("version", job.uws_version == "1.1")
job.run()
job.wait(timeout=60)
check("COMPLETED, not " + job.phase, job.phase == "COMPLETED")
summary = session.get(job.result_uri)
check("the summary", summary.json()["status"] == "DONE" and summary.json()["num_done"] >= 2)
logs = [r for r in job.results if r.id_.startswith("log-")]
check("a log each", len(logs) == summary.json()["num_elements"])
for result in logs:
    check("a log", session.get(result.href).status_code == 200)
check("no error", job.raise_if_error() is None)
job_url = job.url
job.delete()
check("gone", session.get(job_url).status_code == 404)

failing = AsyncTAPJob.create(url, "unused", session=session, TYPE="copy", src_siteid="nowhere")
failing.run()
check("ERROR", failing.phase == "ERROR")
try:
    failing.raise_if_error()
    check("an error", False)
except Exception as error:
    check("its reason", "src_siteid" in str(error))

aborted = AsyncTAPJob.create(
    url, "unused", session=session, TYPE="list", src_siteid="ssh-a", src_filepath="/never")
aborted.abort()
check("ABORTED", aborted.phase == "ABORTED")
aborted.delete()
print("all is well")
