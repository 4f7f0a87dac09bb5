/// The routes of Overview's face, and whether each asks who it is.
public enum OverviewRoutes {
    public static let root = "/overview"

    public static let all: [(method: String, path: String, isOpen: Bool)] = [
        ("POST", "/generate", false), ("GET", "/search", false), ("GET", "/metadata", true), ("GET", "/show", true),
        ("GET", "/show.js", true), ("GET", "/show.css", true),
    ]
}
