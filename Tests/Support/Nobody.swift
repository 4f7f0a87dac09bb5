public import HaulProtocol

extension DiscoveredProtocol {
    /// The same protocol, its backend run by an account that owns nothing: as root nothing is forbidden.
    public var asNobody: DiscoveredProtocol {
        var other = self
        other.executable = "/usr/bin/setpriv"
        other.arguments = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", executable] + arguments
        return other
    }
}
