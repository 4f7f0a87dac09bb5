/// What a tool said, and the paths that it may have named: a path may hold any words, "not a directory" among them, and
/// those mean nothing.
///
/// All of it as bytes, in time as the text is long: a server may have written it.
public struct SaidText: Sendable {
    /// In lower case.
    private let text: [UInt8]
    /// Behind each byte, how far a path goes on that begins there or before.
    private let reach: [Int]

    /// - Parameter paths: Of the sites and of the worker, as the tool was told them.
    public init(_ said: String, about paths: [String]) {
        let text = Array(said.lowercased().utf8)
        var ends = [Int](repeating: 0, count: text.count)
        func name(_ places: [Range<Int>]) {
            for place in places { ends[place.lowerBound] = max(ends[place.lowerBound], place.upperBound) }
        }
        for path in Set(paths.map { Array($0.lowercased().utf8) }) {
            let slash = UInt8(ascii: "/")
            if path.contains(slash) { name(Self.places(of: path[...], in: text)) }
            // A server knows them by parts: below a directory of its own, or one that is missing.
            for part in Set(path.split(separator: slash)) {
                // Whatever stands free may be the tool's own words.
                name(
                    Self.places(of: part, in: text).filter { place in
                        place.lowerBound == 0 || "/\"'".utf8.contains(text[place.lowerBound - 1])
                    })
            }
        }
        var furthest = 0
        reach = ends.map { end in
            furthest = max(furthest, end)
            return furthest
        }
        self.text = text
    }

    /// - Parameter words: In lower case.
    /// - Returns: Whether they stand anywhere but within a path.
    public func says(_ words: String) -> Bool {
        Self.places(of: Array(words.utf8)[...], in: text).contains { reach[$0.lowerBound] < $0.upperBound }
    }

    private static func places(of words: ArraySlice<UInt8>, in text: [UInt8]) -> [Range<Int>] {
        text.withUnsafeBytes { text in
            words.withUnsafeBytes { words in
                var (places, start) = ([Range<Int>](), 0)
                while let place = text.place(of: words, from: start) {
                    places.append(place..<(place + words.count))
                    start = place + 1
                }
                return places
            }
        }
    }
}
