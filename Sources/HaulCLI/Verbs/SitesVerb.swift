import HaulWire

extension Verb {
    static let sites = Verb(
        name: "sites", summary: "the sites that a job may name",
        notes: ["A line a site: its id, name and protocol, its limits (in,out), and why it is closed, if it is."]
    ) { invocation in
        let titles = ["ID", "NAME", "PROTOCOL", "LIMITS", "CLOSED"]
        let columns = titles.map { Table.Column(title: $0, isPath: $0 == "CLOSED") }
        try await Rows.print(columns, "/sites", [], SiteDocument.self, invocation) { site in
            let limits = ["in", "out"].map { way in site.limits?[way].map(String.init) ?? "-" }.joined(separator: ",")
            return ["\(site.id)", site.name, site.protocol, limits, site.banned ?? "-"]
        }
        return .ok
    }
}
