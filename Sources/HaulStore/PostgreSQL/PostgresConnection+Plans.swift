extension PostgresConnection {
    /// How the server does each statement that was run, by its text, for a test of the plans.
    func plans() throws -> [String: [String]] {
        var plans: [String: [String]] = [:]
        let counts = try rows("SELECT name, cardinality(parameter_types) FROM pg_prepared_statements") {
            ($0.text(0), $0.int(1))
        }
        for (name, count) in counts {
            guard let text = pipeline.text(named: name) else { continue }
            let values = count == 0 ? "" : "(" + [String](repeating: "NULL", count: count).joined(separator: ", ") + ")"
            plans[text] = try rows("EXPLAIN EXECUTE \(name)\(values)") { $0.text(0) }
        }
        return plans
    }
}
