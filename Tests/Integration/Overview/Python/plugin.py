"""The original's work queue drives haul: the program that it runs has haul generate, and tells what haul tells. plugin.py URL
TOKEN; as that program: plugin.py SERVER DOCUMENT_SET_ID API_TOKEN OUTPUT."""
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests


def program(server, document_set_id, token, output):
    import ijson

    url, site = server.rsplit("/", 1)
    wanted, auth = {"server": site, "documentSetId": document_set_id}, (token, "x-api-token")
    answer = requests.post(url + "/overview/generate", data=wanted, auth=auth, stream=True, timeout=60)
    answer.raise_for_status()
    for event in ijson.items(answer.raw, "item", use_float=True):
        print("%f\t%s" % (event["fraction"], event["message"] or ""), flush=True)
        if event["returncode"]:
            raise SystemExit(event["error"])
    found = requests.get(url + "/overview/search", params=wanted, auth=auth, timeout=60)
    Path(output).write_text(json.dumps(found.json()))


def check(what, value):
    if not value:
        raise SystemExit("failed: " + what)


def main(url, token):
    from workqueue import OverviewViewParams, WorkQueue

    folder = Path(tempfile.mkdtemp())
    run = folder / "run"
    run.write_text('#!/bin/sh\nexec "%s" "%s" "$@"\n' % (sys.executable, os.path.abspath(__file__)))
    run.chmod(0o755)
    with ThreadPoolExecutor(2) as executor:
        queue = WorkQueue(run, executor=executor, storage_dir=folder / "databases")
        (folder / "databases").mkdir()
        # The document set's id is a name in a path of the original.
        params = OverviewViewParams(url + "/fake-a", "tree", token)
        events = list(queue.report_job_progress_until_completed(queue.ensure_run(params)))
        check("%s" % (events[-1],), events[-1].returncode == 0 and events[-1].fraction == 1.0)
        check("it is remembered", queue.ensure_run(params) is None)
        check("it is there", isinstance(json.loads(queue.destination_path_for_params(params).read_text()), list))
        bad = OverviewViewParams(url + "/nowhere", "other", token)
        failed = list(queue.report_job_progress_until_completed(queue.ensure_run(bad)))[-1]
        check("a failure", failed.returncode == 1 and "400" in failed.error)
        check("is forgotten", queue.ensure_run(bad) is not None)
    print("all is well")


if __name__ == "__main__":
    program(*sys.argv[1:]) if len(sys.argv) == 5 else main(*sys.argv[1:])
