import HaulHTTP

/// What a browser is shown. Nothing of a request stands in what is sent: the page's script reads its own address, and writes
/// what it was told as text.
extension OverviewAPI {
    func addPageRoutes(to router: inout Router) {
        let metadata = HTTPResponse(
            // Overview's page asks for it from its own address.
            headers: ["Content-Type": "application/json", "Access-Control-Allow-Origin": "*"],
            body: .bytes(JSONText.bytes(OverviewDocuments.metadata)))
        router.on("GET", "/metadata", bodyLimit: 0) { _, _ in metadata }
        let files = [
            ("/show", OverviewPage.html, "text/html"), ("/show.js", OverviewPage.script, "text/javascript"),
            ("/show.css", OverviewPage.style, "text/css"),
        ]
        for (path, text, type) in files {
            let file = HTTPResponse(
                headers: [
                    "Content-Type": "\(type); charset=utf-8", "Content-Security-Policy": Self.policy,
                    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
                ], body: .bytes(Array(text.utf8)))
            router.on("GET", path, bodyLimit: 0) { _, _ in file }
        }
    }

    /// Its own files, and nothing that stands in the page itself. Who may frame it is not said: Overview does.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
}

/// The page that shows progress and searches.
enum OverviewPage {
    static let html = """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <title>haul</title>
        <link rel="stylesheet" href="show.css">
        <p id="what"></p>
        <progress id="bar" max="1" value="0"></progress>
        <p id="message">Starting</p>
        <form id="form" hidden><input id="q" autofocus aria-label="Search"><button>Search</button></form>
        <ul id="found"></ul>
        <script src="show.js"></script>
        </html>

        """

    static let style = """
        body { font: 16px sans-serif; margin: 2em; }
        progress { width: 100%; }

        """

    /// It takes the token out of the address at once, and keeps it for as long as the window is there; what is shown stays in
    /// the address, so that it is there after a reload, too. It reads the stream object by object: none of them
    /// holds another.
    static let script = """
        "use strict";
        const given = new URLSearchParams(location.search);
        const get = (name) => document.getElementById(name);
        const server = given.get("server") || "";
        const documentSetId = given.get("documentSetId") || given.get("document_set_id") || "";
        const shown = given.get("apiToken") || given.get("api_token");
        given.delete("apiToken");
        given.delete("api_token");
        history.replaceState(null, "", location.pathname + (given.size ? "?" + given : ""));
        if (shown) sessionStorage.setItem("haul.token", shown);
        const token = shown || sessionStorage.getItem("haul.token") || "";
        const headers = { Authorization: "Bearer " + token };
        const asked = new URLSearchParams({ server, documentSetId });
        get("what").textContent = server + ": " + documentSetId;

        function show(progress) {
          get("bar").value = progress.fraction;
          let text = progress.message || "";
          if (progress.n_ahead_in_queue > 0) text += ", " + progress.n_ahead_in_queue + " before it";
          if (progress.returncode === 0) text = "Ready";
          if (progress.error) text = progress.error;
          get("message").textContent = text;
          get("form").hidden = progress.returncode !== 0;
        }

        async function say(answer) {
          const problem = await answer.json().catch(() => ({}));
          get("message").textContent = problem.detail || "Failed: " + answer.status;
        }

        async function generate() {
          const answer = await fetch("generate", { method: "POST", body: asked, headers });
          if (!answer.ok) return say(answer);
          const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
          let text = "", last = { fraction: 1, returncode: 0 }, depth = 0, start = 0, at = 0, quoted = false;
          for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            text += value;
            for (; at < text.length; at++) {
              const letter = text[at];
              if (quoted) {
                if (letter === "\\\\") { if (at + 1 >= text.length) break; at++; }
                else if (letter === '"') quoted = false;
              } else if (letter === '"') quoted = true;
              else if (letter === "{" && depth++ === 0) start = at;
              else if (letter === "}" && --depth === 0) show(last = JSON.parse(text.slice(start, at + 1)));
            }
            if (depth === 0) { text = ""; at = 0; }
          }
          show(last);
        }

        get("form").addEventListener("submit", async (event) => {
          event.preventDefault();
          const query = new URLSearchParams(asked);
          query.set("q", get("q").value);
          query.set("limit", 1001);
          const answer = await fetch("search?" + query, { headers });
          if (!answer.ok) return say(answer);
          const found = await answer.json();
          get("found").replaceChildren(...found.slice(0, 1000).map((entry) => {
            const item = document.createElement("li");
            item.textContent = entry.path;
            return item;
          }));
          get("message").textContent = (found.length > 1000 ? "more than 1000" : found.length) + " found";
        });
        generate().catch((error) => { get("message").textContent = String(error); });

        """
}
