/// The routes of the qdo face below a user's name, each to be tried with every role.
public enum QdoRoutes {
    private static let reading = [
        "", "/queues", "/queues/:queue", "/queues/:queue/tasks", "/queues/:queue/tasks/:task",
    ]

    private static let writing = [
        ("PUT", ""), ("DELETE", ""), ("PUT", "/retry"), ("PUT", "/recover"), ("PUT", "/pause"), ("PUT", "/resume"),
        ("POST", "/launch"), ("POST", "/tasks"), ("POST", "/addtask"), ("POST", "/addtasks"), ("POST", "/batchtasks"),
        ("POST", "/get"), ("POST", "/poptask"), ("PUT", "/tasks/:task"),
    ]

    /// Of a user.
    public static var all: [(method: String, path: String)] {
        ["/:user", "/users/:user"].flatMap { user in
            reading.map { ("GET", user + $0) } + writing.map { ($0, "\(user)/queues/:queue\($1)") }
        }
    }

    /// Of nobody.
    public static let site = [("GET", "/site/login"), ("POST", "/site/login"), ("GET", "/site/info")]
}
