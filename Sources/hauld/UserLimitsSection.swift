import HaulConfig
import HaulModel

/// Limits of a single user (`users: {NAME: {...}}`): what it says goes before what all users have.
struct UserLimitsSection: Decodable, Sendable {
    /// The inner nil is any amount.
    private var requestsPerSecond: Double??
    private var burst: Double??
    private var waiting: Int??
    private var running: Int??
    private var properties: Int??
    private var bulk: Int?

    private enum CodingKeys: String, CodingKey {
        case burst, waiting, running, properties, bulk
        case requestsPerSecond = "requests_per_second"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        requestsPerSecond = try container.stated(.requestsPerSecond, in: 0.01...1_000_000)
        burst = try container.stated(.burst, in: 1...1_000_000)
        waiting = try container.stated(.waiting, in: 1...1_000_000_000)
        running = try container.stated(.running, in: 1...1_000_000)
        properties = try container.stated(.properties, in: 2...1 << 50)
        if container.contains(.bulk) { bulk = try container.decode(Int.self, forKey: .bulk, in: 1...10_000) }
    }

    /// Its limits; those of all users where it says nothing.
    func over(_ usual: UserLimits) -> UserLimits {
        var limits = usual
        if let requestsPerSecond { limits.requestsPerSecond = requestsPerSecond }
        if let burst { limits.burst = burst }
        if let waiting { limits.waiting = waiting }
        if let running { limits.running = running }
        if let properties { limits.properties = properties }
        if let bulk { limits.bulk = bulk }
        return limits
    }
}

extension KeyedDecodingContainer {
    /// A limit that is stated here: null is none; nil where nothing is.
    fileprivate func stated(_ key: Key, in range: ClosedRange<Double>) throws -> Double?? {
        guard contains(key) else { return nil }
        return try decodeNil(forKey: key) ? .some(nil) : try decode(Double.self, forKey: key, in: range)
    }

    fileprivate func stated(_ key: Key, in range: ClosedRange<Int>) throws -> Int?? {
        guard contains(key) else { return nil }
        return try decodeNil(forKey: key) ? .some(nil) : try decode(Int.self, forKey: key, in: range)
    }

    /// A limit where one is stated.
    func read(_ key: Key, into limit: inout Double?, in range: ClosedRange<Double>) throws {
        if let stated = try stated(key, in: range) { limit = stated }
    }

    func read(_ key: Key, into limit: inout Int?, in range: ClosedRange<Int>) throws {
        if let stated = try stated(key, in: range) { limit = stated }
    }
}
