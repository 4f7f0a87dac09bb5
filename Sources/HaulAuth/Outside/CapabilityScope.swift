/// What a token lets do, as its `scope` has it: `openid`, `compute.create`, `storage.read:/home`. With a path it is for what
/// is there and below (WLCG Common JWT Profiles 1.x, Capabilities).
public struct CapabilityScope: Sendable, Hashable {
    public var name: String
    /// The path's names; nil where there is none, empty for `/`.
    public var path: [String]?

    /// - Returns: nil for a path that is not absolute, or has names such as `..`: nobody knows what it is for.
    public init?(_ text: String) {
        guard let colon = text.range(of: ":/") else {
            guard !text.isEmpty else { return nil }
            (name, path) = (text, nil)
            return
        }
        let names = text[text.index(after: colon)...].split(separator: "/").map(String.init)
        guard colon > text.startIndex, !names.contains("."), !names.contains("..") else { return nil }
        (name, path) = (String(text[..<colon]), names)
    }

    /// Whether who has this has what is asked for: the same, for the same path or one above it. Where no path is asked
    /// for, any will do.
    func covers(_ wanted: CapabilityScope) -> Bool {
        guard name == wanted.name else { return false }
        guard let needed = wanted.path else { return true }
        return path.map(needed.starts(with:)) ?? false
    }
}

extension String {
    fileprivate func range(of mark: String) -> Index? {
        indices.first { self[$0...].hasPrefix(mark) }
    }
}
