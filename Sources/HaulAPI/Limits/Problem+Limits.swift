import HaulHTTP
import HaulWire

extension Problem {
    /// 429: the user has sent more requests than their limit.
    static func tooFast(_ seconds: Double) -> Problem {
        let wait = max(1, Int(seconds.rounded(.up)))
        return Problem(
            ProblemDocument(
                status: 429, title: "Too many requests", code: "too_many_requests",
                detail: "More requests came from this user than the limit allows; nothing was done.",
                hint: "Send it again after \(wait) s, and many jobs in one request (POST /jobs with an array)."),
            headers: ["Retry-After": "\(wait)"])
    }
}
