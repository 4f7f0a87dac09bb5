"""What makes schemathesis's requests reach something: ids and names that there are, and tokens that stay good."""
import json
import os
import re
import urllib.request
import zlib

import schemathesis

URL = os.environ["HAUL_URL"]
TOKEN = os.environ["HAUL_TOKEN"]
ROLE = os.environ["HAUL_ROLE"]
# {"jobs": [ids], "users": [names], "workers": [names], "leases": [{"job", "element", "token"}]}
THERE = json.loads(os.environ["HAUL_THERE"])
ROOT = "/workqueue/api/v1.0"
# Of a path's names, those that can be guessed: half of the time something that there is stands in its place.
NAMES = {"user": THERE["users"], "worker": THERE["workers"], "site": ["ssh-a", "2"], "queue": ["default", "slow"]}


def choose(value, choices):
    return choices[zlib.crc32(str(value).encode()) % len(choices)]


def spare_token():
    request = urllib.request.Request(
        URL + ROOT + "/tokens", b"{}", {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Wrong passwords lock their name and address for a while (429): other tests see to that."""
    del raw_schema["components"]["securitySchemes"]["password"]
    for item in raw_schema["paths"].values():
        for name, operation in item.items():
            if name != "parameters":
                operation["security"] = [way for way in operation["security"] if "password" not in way]


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return "".join(json.dumps(item) + "\n" for item in (value if isinstance(value, list) else [value])).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path.removeprefix(ROOT)
    places = case.path_parameters or {}
    if path.startswith("/jobs/") and is_number(places.get("job")) and places["job"] > 0:
        places["job"] = choose(places["job"], THERE["jobs"])
    if path.startswith("/jobs/") and is_number(places.get("element")) and places["element"] >= 0:
        places["element"] %= 3
    for name, choices in NAMES.items():
        if name == "site" and case.method == "DELETE":
            continue  # Other requests name it.
        if isinstance(places.get(name), str) and len(places[name]) % 2:
            places[name] = choose(places[name], choices)
    if path == "/jobs/{job}" and re.fullmatch(r"\+?\d+", str((case.query or {}).get("wait"))):
        case.query["wait"] = 0  # None waits for what never comes.
    for document in case.body if isinstance(case.body, list) else [case.body]:
        fix_sites(document)
    if path == "/tokens/{token}" and re.fullmatch(r"\s*\+?\d+\s*", str(places.get("token"))):
        places["token"] = spare_token()["id"]


@schemathesis.auth(refresh_interval=None)
class Token:
    """Ours; where it would be ended, one that may be; of an element, the element's."""

    def get(self, case, context):
        path = case.operation.path.removeprefix(ROOT)
        if path == "/logout":
            return spare_token()["token"] if ROLE != "worker" else "none"
        if path.startswith("/worker/jobs/{job}") and THERE["leases"]:
            lease = choose(case.body, THERE["leases"])
            places = case.path_parameters or {}
            if is_number(places.get("job")) and is_number(places.get("element")):
                places["job"], places["element"] = lease["job"], lease["element"]
            return lease["token"]
        return TOKEN

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = "Bearer " + data


def fix_sites(document):
    """Any id or name of a site is one that there is; what is none stays."""
    if not isinstance(document, dict):
        return
    for name, site in (("src_siteid", 1), ("dst_siteid", 2)):
        if is_number(document.get(name)) or isinstance(document.get(name), str):
            document[name] = site
    if isinstance(document.get("sites"), list):
        document["sites"] = ["ssh-a" if isinstance(site, str) else site for site in document["sites"]]
    # What no schema says: a path does not go to itself or below itself, and the top of a site is spared.
    source, target = document.get("src_filepath"), document.get("dst_filepath")
    if isinstance(source, str) and source.strip("~/.") == "":
        document["src_filepath"] = "/data/" + source if source else source
    if isinstance(target, str) and target.strip("~/.") == "":
        document["dst_filepath"] = "/to/" + target if target else target
