"""A database by haul's Overview face, its progress read by ijson as it comes: stream.py URL TOKEN."""
import sys
import time

import ijson
import requests

url, token = sys.argv[1:]
auth = (token, "x-api-token")
wanted = {"server": "fake-a", "documentSetId": "/tree/3"}


def check(what, value):
    if not value:
        raise SystemExit("failed: " + what)


def generate(wanted):
    answer = requests.post(url + "/overview/generate", data=wanted, auth=auth, stream=True, timeout=60)
    check("200", answer.status_code == 200 and answer.headers["Content-Type"] == "application/json")
    return list(ijson.items(answer.raw, "item", use_float=True))


events = generate(wanted)
fields = {"n_ahead_in_queue", "fraction", "message", "returncode", "error"}
check("their fields", events and all(set(event) == fields for event in events))
check("none but the last has ended", all(event["returncode"] is None for event in events[:-1]))
check("the last", events[-1]["fraction"] == 1.0 and events[-1]["returncode"] == 0 and events[-1]["error"] is None)
check("fractions", all(0 <= event["fraction"] <= 1 for event in events))
check("it is there now", generate(wanted) == [])
found = requests.get(url + "/overview/search", params={**wanted, "q": "tree"}, auth=auth, stream=True, timeout=60)
check("search", len(list(ijson.items(found.raw, "item"))) >= 2)
check("metadata", "name" in requests.get(url + "/overview/metadata", timeout=60).json())
check("no token", requests.post(url + "/overview/generate", data=wanted, timeout=60).status_code == 401)
# A listing that takes five seconds tells how far it is at least four times in each of them, but for the first.
answer = requests.post(
    url + "/overview/generate", data={"server": "fake-a", "documentSetId": "/drip/250/5"}, auth=auth, stream=True,
    timeout=60)
times = []
for event in ijson.items(answer.raw, "item", use_float=True, buf_size=1):
    if 0 < event["fraction"] < 1:
        times.append((time.monotonic(), event["fraction"]))
check("forward: %s" % times, [part for _, part in times] == sorted({part for _, part in times}))
check("five seconds: %s" % times, times[-1][0] - times[0][0] > 3.5)
# In any two seconds eight: a machine may stop for a moment.
settled = [moment for moment, _ in times if moment > times[0][0] + 1.5]
check("a stream: %s" % times, len(settled) >= 4 * (settled[-1] - settled[0]))
print("all is well")
