import HaulModel

extension HostList {
    /// Why this worker does not go to a site; nil where it does.
    func problem(_ endpoints: [String], _ hosts: ProtocolManifest.Hosts) -> String? {
        switch hosts {
        case .none: return nil
        case .anywhere: return "its protocol may talk to any host, and `hosts` of this worker names those that it may"
        case .endpoints:
            if endpoints.isEmpty {
                return "it has no endpoints, and `hosts` of this worker names those that it may talk to"
            }
            return endpoints.lazy.compactMap { problem($0) }.first
        }
    }
}
