/// What a tool said, and the paths that it may have named: a path may hold any words, "not a directory" among them, and
/// those mean nothing.
struct SaidText: Sendable {
    /// In lower case.
    private let text: String
    /// Where it speaks of a path.
    private let named: [Range<String.Index>]

    /// - Parameter paths: Of the sites and of the worker, as the tool was told them.
    init(_ said: String, about paths: [String]) {
        let text = said.lowercased()
        var named: [Range<String.Index>] = []
        for path in Set(paths.map { $0.lowercased() }) {
            if path.contains("/") { named += Self.places(of: path, in: text) }
            // A server knows them by parts: below a directory of its own, or one that is missing.
            for name in Set(path.split(separator: "/")) {
                named += Self.places(of: String(name), in: text).filter { place in
                    // Whatever stands free may be the tool's own words.
                    place.lowerBound == text.startIndex || "/\"'".contains(text[text.index(before: place.lowerBound)])
                }
            }
        }
        (self.text, self.named) = (text, named)
    }

    /// - Parameter words: In lower case.
    /// - Returns: Whether they stand anywhere but within a path.
    func says(_ words: String) -> Bool {
        Self.places(of: words, in: text).contains { place in
            !named.contains { $0.lowerBound <= place.lowerBound && place.upperBound <= $0.upperBound }
        }
    }

    private static func places(of words: String, in text: String) -> [Range<String.Index>] {
        var places: [Range<String.Index>] = []
        var rest = text[...]
        while !words.isEmpty, let place = rest.firstRange(of: words) {
            places.append(place)
            rest = text[text.index(after: place.lowerBound)...]
        }
        return places
    }
}
