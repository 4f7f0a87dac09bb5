import Foundation
import HaulModel

extension BatchSpec {
    /// Seconds that are waited for one address of an endpoint where there is another.
    private static let patience = Duration.seconds(2)
    private static let queue = BlockingQueue(label: "haul.reaching")

    /// The same batch, in which an endpoint that takes a connection is each site's first: for protocols that speak to one
    /// endpoint a batch. Where none does, or there is only one, all is as it was.
    /// - Parameter standardPort: Of an endpoint that names none.
    public func reaching(standardPort: @Sendable (SiteSpec) -> Int) async -> BatchSpec {
        var batch = self
        // Through a proxy others look for the way.
        if settings["proxy"]?.string?.isEmpty == false { return batch }
        async let first = source.reaching(standardPort(source), Self.patience, Self.queue)
        async let second = destination?.reaching(standardPort(destination ?? source), Self.patience, Self.queue)
        (batch.source, batch.destination) = await (first, second)
        return batch
    }
}

extension SiteSpec {
    fileprivate func reaching(_ standardPort: Int, _ patience: Duration, _ queue: BlockingQueue) async -> SiteSpec {
        guard endpoints.count > 1 else { return self }
        var site = self
        for (place, endpoint) in endpoints.enumerated() {
            guard let address = Address(endpoint, standardPort: standardPort) else { continue }
            let isThere: Void? = try? await queue.run { close(try address.connect(limit: patience)) }
            guard isThere != nil else { continue }
            site.endpoints.insert(site.endpoints.remove(at: place), at: 0)
            break
        }
        return site
    }
}
