import HaulHTTP
import HaulModel

/// Reads the parameters of a query one by one and notes what is wrong with each. An empty one counts as missing.
struct QueryReader {
    /// How much of a listing an answer holds.
    enum ListingForm: String { case none, short, long }

    private let request: HTTPRequest
    private var problems: [String: String] = [:]

    init(_ request: HTTPRequest) { self.request = request }

    /// - Throws: 400 that names every parameter that was wrong.
    func check() throws {
        if !problems.isEmpty { throw Problem.fields(problems) }
    }

    func text(_ name: String) -> String? { request.query(name).flatMap { $0.isEmpty ? nil : $0 } }

    mutating func parse<T>(_ name: String, _ what: String, _ read: (String) -> T?) -> T? {
        guard let text = text(name) else { return nil }
        let value = read(text)
        if value == nil { problems[name] = "must be \(what)" }
        return value
    }

    mutating func number(_ name: String, from least: Int) -> Int? {
        parse(name, "an integer, \(least) or more") { Int($0).flatMap { $0 >= least ? $0 : nil } }
    }

    /// Several of them, with commas.
    mutating func names<T: Hashable>(_ name: String, _ what: String, _ read: (String) -> T?) -> Set<T>? {
        parse(name, what) { text in
            let found = text.split(separator: ",", omittingEmptySubsequences: false).map { read(String($0)) }
            return found.contains { $0 == nil } ? nil : Set(found.compactMap(\.self))
        }
    }

    /// `listing=long`, and where an answer may go without one `listing=none`.
    mutating func listingForm(allowsNone: Bool) -> ListingForm {
        parse("listing", allowsNone ? "none, short or long" : "short or long") { text in
            ListingForm(rawValue: text).flatMap { $0 == .none && !allowsNone ? nil : $0 }
        } ?? .short
    }
}
