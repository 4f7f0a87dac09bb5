"""The script of Overview's page, in an engine for JavaScript: what it makes of streams however they are cut, of refusals, and
of a search. page.py URL TOKEN."""
import json
import sys

import quickjs
import requests

script = requests.get(sys.argv[1] + "/overview/show.js", timeout=60).text

# As much of a browser as the page has to do with.
browser = r"""
class URLSearchParams {
  constructor(from) {
    this.pairs = [];
    if (from instanceof URLSearchParams) this.pairs = from.pairs.map((pair) => [...pair]);
    else if (typeof from === "string") {
      for (const part of from.replace(/^\?/, "").split("&").filter((part) => part)) {
        this.pairs.push(part.split("=").map(decodeURIComponent));
      }
    } else this.pairs = Object.entries(from);
  }
  get(name) { const found = this.pairs.find((pair) => pair[0] === name); return found ? found[1] : null; }
  set(name, value) { this.delete(name); this.pairs.push([name, String(value)]); }
  delete(name) { this.pairs = this.pairs.filter((pair) => pair[0] !== name); }
  get size() { return this.pairs.length; }
  toString() { return this.pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&"); }
}
class TextDecoderStream {}
const things = {};
const document = {
  getElementById: (id) => things[id] = things[id] || {
    id, listeners: {}, children: [], value: "", textContent: "", hidden: true,
    addEventListener(name, run) { this.listeners[name] = run; },
    replaceChildren(...children) { this.children = children; },
  },
  createElement: () => ({ textContent: "" }),
};
["what", "bar", "message", "form", "q", "found"].forEach((id) => document.getElementById(id));
const kept = {};
const sessionStorage = { setItem: (name, value) => { kept[name] = value; }, getItem: (name) => kept[name] || null };
let address = null;
const history = { replaceState: (state, title, url) => { address = url; } };
const location = { search: given, pathname: "/overview/show" };
const sent = [];
function fetch(url, options) {
  sent.push({ url: String(url), method: options.method || "GET", body: String(options.body || ""),
              authorization: options.headers.Authorization });
  const answer = answers.shift();
  let next = 0;
  return Promise.resolve({
    ok: answer.status === 200, status: answer.status,
    json: () => answer.json === undefined ? Promise.reject(new Error("no JSON")) : Promise.resolve(answer.json),
    body: { pipeThrough: () => ({ getReader: () => ({
      read: () => Promise.resolve(next < answer.pieces.length ? { done: false, value: answer.pieces[next++] } : { done: true }),
    }) }) },
  });
}
"""


class Page:
    def __init__(self, *answers, given="?server=a&documentSetId=%2Fd%20e&apiToken=secret"):
        self.context = quickjs.Context()
        self.context.eval("const given = %s, answers = %s;" % (json.dumps(given), json.dumps(answers)))
        self.context.eval(browser)
        self.context.eval("(function () {" + script + "})()")
        self.settle()

    def settle(self):
        while self.context.execute_pending_job():
            pass

    def get(self, code):
        return json.loads(self.context.eval("JSON.stringify(%s)" % code))

    def shown(self):
        return tuple(self.get("things.%s" % it) for it in ["bar.value", "message.textContent", "form.hidden"])


def check(what, value):
    if not value:
        raise SystemExit("failed: " + what)


def event(fraction, message=None, returncode=None, error=None, ahead=0):
    return {"n_ahead_in_queue": ahead, "fraction": fraction, "message": message, "returncode": returncode, "error": error}


def stream(*pieces):
    return {"status": 200, "pieces": pieces}


odd = 'a "quoted" {brace}, a [bracket] and a \\ of \u00e9\U0001f69a \\"'
text = json.dumps([event(0, "waiting", ahead=7), event(0.5, odd), event(1, returncode=0)], ensure_ascii=False)
for cut in range(len(text) + 1):
    check("cut at %d" % cut, Page(stream(text[:cut], text[cut:])).shown() == (1, "Ready", False))
check("each letter by itself", Page(stream(*text)).shown() == (1, "Ready", False))

page = Page(stream(text))
check("the token is out of the address", page.get("address") == "/overview/show?server=a&documentSetId=%2Fd%20e")
check("and kept for the window", page.get("kept") == {"haul.token": "secret"})
first = page.get("sent")[0]
check("what is asked", (first["url"], first["method"]) == ("generate", "POST") and "documentSetId=%2Fd%20e" in first["body"])
check("and who asks", first["authorization"] == "Bearer secret")

half = json.dumps([event(0, "waiting", ahead=7), event(0.5, odd)], ensure_ascii=False)
# Nothing comes any more: what was said last stays.
check("what it says stands there", Page(stream(half[:-1])).shown() == (0.5, odd, True))
check("what is before it", Page(stream(json.dumps([event(0, "waiting", ahead=7)]))).shown()[1] == "waiting, 7 before it")
check("it was there already", Page(stream("[]")).shown() == (1, "Ready", False))
failed = "Exited with code 1\nstderr:\n<b>no</b> {"
check("an error", Page(stream(json.dumps([event(1, returncode=1, error=failed)]))).shown() == (1, failed, True))
refused = Page({"status": 401, "json": {"detail": "No token."}})
check("a refusal", refused.shown()[1:] == ("No token.", True))
check("a refusal without words", Page({"status": 502}).shown()[1] == "Failed: 502")

for count, words in [(2, "2 found"), (0, "0 found"), (1001, "more than 1000 found")]:
    found = [{"path": "/d/<i>%d</i>" % number} for number in range(count)]
    page = Page(stream("[]"), {"status": 200, "json": found})
    page.context.eval('things.q.value = "x&y"')
    page.context.eval("things.form.listeners.submit({ preventDefault() {} })")
    page.settle()
    check(words, page.shown()[1] == words)
    items = page.get("things.found.children")
    check("as text", [item["textContent"] for item in items] == [entry["path"] for entry in found[:1000]])
    check("what is searched for", "q=x%26y" in page.get("sent")[1]["url"] and "limit=1001" in page.get("sent")[1]["url"])
print("all is well")
