/// The routes of Clockwork's face, below either of its roots.
public enum ClockworkRoutes {
    public static let roots = ["/api/v1/cluster", "/api/v1/clusters"]

    public static let all: [(method: String, path: String)] = [
        ("GET", "/jobs/list"), ("GET", "/jobs/one"), ("GET", "/jobs/user_props/get"), ("GET", "/nodes/list"),
        ("GET", "/nodes/one"), ("PUT", "/jobs/user_dict_update"), ("PUT", "/jobs/user_props/set"),
        ("PUT", "/jobs/user_props/delete"),
    ]
}
