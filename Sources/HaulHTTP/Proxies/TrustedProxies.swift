/// Proxies before the server whose word on where a request came from is taken. What others say of it counts for nothing.
public struct TrustedProxies: Sendable {
    /// Where they say it. One alone: proxies pass on the other as a client wrote it.
    public enum Header: String, Sendable, CaseIterable {
        case xForwardedFor = "X-Forwarded-For"
        /// RFC 7239.
        case forwarded = "Forwarded"
    }

    /// Proxies that a request may have come through.
    private static let most = 32

    private let ranges: [AddressRange]
    private let header: Header

    /// - Parameter addresses: numeric ones, or ranges: `10.0.0.0/8`.
    /// - Returns: nil where one of them is neither.
    public init?(_ addresses: [String], header: Header = .xForwardedFor) {
        ranges = addresses.compactMap(AddressRange.init)
        self.header = header
        guard ranges.count == addresses.count else { return nil }
    }

    /// Whom a request comes from: the last address before the first that is no trusted proxy, from here outwards.
    ///
    /// - Parameter peer: the address at the other end of the connection.
    func client(of headers: HTTPHeaders, peer: String) -> String { way(of: headers, peer: peer).client }

    /// The same, and how many trusted proxies the request came through.
    private func way(of headers: HTTPHeaders, peer: String) -> (client: String, proxies: Int) {
        guard let own = NetworkAddress(peer), isTrusted(own) else { return (peer, 0) }
        var last = own
        var proxies = 1
        let hops = header == .forwarded ? Self.forwarded(headers, "for") : Self.listed(headers)
        for hop in hops.reversed().prefix(Self.most) {
            // What can't be read was not written by who is trusted: the way ends here.
            guard let address = hop.flatMap(Self.address) else { break }
            last = address
            guard isTrusted(address) else { break }
            proxies += 1
        }
        return (last.text, proxies)
    }

    /// What the outermost trusted proxy says in fields that each of them sets or adds to; nil where none says it. Of a
    /// `Forwarded` these are its parameters `proto` and `host`: other fields are as the client wrote them then.
    func said(_ name: String, in headers: HTTPHeaders, peer: String) -> Substring? {
        let proxies = way(of: headers, peer: peer).proxies
        guard proxies > 0 else { return nil }
        let values: [Substring?]
        if header == .forwarded {
            values = Self.forwarded(headers, name.lowercased())
        } else {
            values = headers.all("X-Forwarded-\(name)").flatMap {
                $0.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
            }
        }
        guard !values.isEmpty else { return nil }
        return values[max(0, values.count - proxies)]
    }

    private func isTrusted(_ address: NetworkAddress) -> Bool { ranges.contains { $0.contains(address) } }

    private static func listed(_ headers: HTTPHeaders) -> [Substring?] {
        headers.all(Header.xForwardedFor.rawValue).flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
        }
    }

    /// A parameter of each element; nil where it has none.
    private static func forwarded(_ headers: HTTPHeaders, _ name: String) -> [Substring?] {
        headers.all(Header.forwarded.rawValue).flatMap { line in
            line.split(unquoted: ",").map { element in
                let pairs = element.split(unquoted: ";").map(\.trimmingBlanks)
                let values = pairs.filter { $0.lowercased().hasPrefix(name + "=") }
                    .map { $0.dropFirst(name.count + 1) }
                guard values.count == 1, let value = values.first else { return nil }
                guard value.hasPrefix("\"") else { return value }
                return value.count >= 2 && value.hasSuffix("\"") && !value.contains("\\")
                    ? value.dropFirst().dropLast() : nil
            }
        }
    }

    /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
    private static func address(_ text: Substring) -> NetworkAddress? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.isPort else { return nil }
            let inner = text[text.index(after: text.startIndex)..<end]
            return inner.contains(":") ? NetworkAddress(inner) : nil
        }
        if let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") {
            return text[colon...].isPort ? NetworkAddress(text[..<colon]) : nil
        }
        return NetworkAddress(text)
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// A colon and a number.
    fileprivate var isPort: Bool {
        hasPrefix(":") && (2...6).contains(utf8.count) && dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}

extension StringProtocol where SubSequence == Substring {
    /// The parts between marks that stand in no quoted string.
    fileprivate func split(unquoted mark: Character) -> [Substring] {
        var (parts, start) = ([Substring](), startIndex)
        var (isQuoted, isEscaped) = (false, false)
        for index in indices {
            let character = self[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == mark, !isQuoted {
                parts.append(self[start..<index])
                start = self.index(after: index)
            }
        }
        return parts + [self[start...]]
    }
}
