/// Where the native API is mounted, and the names of its headers.
public enum WirePath {
    /// Every documented URL stands below it.
    public static let root = "/workqueue/api/v1.0"
    /// Carries a user's, worker's or element's token where `Authorization: Bearer` is not used.
    public static let tokenHeader = "X-Token"
    public static let idempotencyHeader = "Idempotency-Key"
    /// With a registration of many: the first of what a registration of one says under `warnings`.
    public static let warningHeader = "Haul-Warning"
}
