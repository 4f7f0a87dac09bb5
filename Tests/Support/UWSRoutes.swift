/// The routes of the UWS face, each to be tried with every role: `:list` is any of its lists, `:job` a job of one.
public enum UWSRoutes {
    public static let reading = [
        "/:list", "/:list/:job", "/:list/:job/phase", "/:list/:job/executionduration", "/:list/:job/destruction",
        "/:list/:job/quote", "/:list/:job/owner", "/:list/:job/error", "/:list/:job/parameters",
        "/:list/:job/parameters/:name", "/:list/:job/results", "/:list/:job/results/:name",
    ]

    public static let writing = [
        ("POST", "/:list"), ("POST", "/:list/:job"), ("DELETE", "/:list/:job"), ("POST", "/:list/:job/phase"),
        ("POST", "/:list/:job/executionduration"), ("POST", "/:list/:job/destruction"),
        ("POST", "/:list/:job/parameters"), ("PUT", "/:list/:job/parameters/:name"),
    ]

    public static var all: [(method: String, path: String)] { reading.map { ("GET", $0) } + writing.map { ($0, $1) } }
}
