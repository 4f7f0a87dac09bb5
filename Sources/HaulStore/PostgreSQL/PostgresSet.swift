import Foundation

/// A statement that does at once what another does for each of many sets of values: the sets come as an array for each
/// parameter, so that the server plans and answers once.
struct PostgresSet {
    /// Sets at once: bounds what is held of arrays and answers.
    static let most = 1000
    /// Below it, a statement for each is as quick.
    static let least = 8

    let text: String
    /// The last column of an answer is the number of its set, from 1; an INSERT's rows come in the order of the sets.
    let isNumbered: Bool

    /// - Parameters:
    ///   - sql: the statement for one set.
    ///   - types: of its parameters, as `pg_prepared_statements` has them.
    /// - Returns: nil for what can't be said for many at once.
    init?(_ sql: String, types: [String]) {
        guard !types.isEmpty else { return nil }
        let arrays = types.enumerated().map { "CAST($\($0 + 1) AS \($1)[])" }.joined(separator: ", ")
        let names = types.indices.map { "a\($0 + 1)" }.joined(separator: ", ")
        let source = "unnest(\(arrays)) WITH ORDINALITY AS v (\(names), o)"
        let body = sql.replacing(#/\$(\d+)/#) { "v.a\($0.output.1)" }
        if body.hasPrefix("SELECT ") {
            text = "SELECT x.*, v.o FROM \(source) CROSS JOIN LATERAL (\(body)) AS x"
            isNumbered = true
        } else if body.hasPrefix("UPDATE "), !body.contains("RETURNING"),
            let place = body.range(of: "WHERE ", options: .backwards)
        {
            text = "\(body[..<place.lowerBound])FROM \(source) \(body[place.lowerBound...]) RETURNING v.o"
            isNumbered = true
        } else if body.hasPrefix("INSERT "), let place = body.range(of: "VALUES ("),
            let end = body.range(of: ")", range: place.upperBound..<body.endIndex),
            // What stands in calls, or is said for the case of a conflict, is not the source's any more.
            !body[place.upperBound..<end.lowerBound].contains("("), !body[end.upperBound...].contains("v.a")
        {
            text =
                "\(body[..<place.lowerBound])SELECT \(body[place.upperBound..<end.lowerBound]) FROM \(source)"
                + body[end.upperBound...]
            isNumbered = false
        } else {
            return nil
        }
    }
}
