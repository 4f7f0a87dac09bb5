import CSodium

/// libsodium's own set-up, which every program that uses HaulCrypto does first.
public enum Sodium {
    /// False when the library can't be used: there is no source of randomness.
    public static func start() -> Bool { sodium_init() >= 0 }
}
