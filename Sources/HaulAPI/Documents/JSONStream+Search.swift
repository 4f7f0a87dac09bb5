import HaulEngine
import HaulHTTP

extension JSONStream {
    /// An answer of what is found in a listing, as it is found: what goes wrong with the first piece is an honest error.
    ///
    /// - Parameter document: of each entry.
    func response(
        of search: ListingSearch, _ document: @escaping @Sendable (ListingSearch.Found) -> [UInt8]
    ) async throws -> HTTPResponse {
        var search = search
        let first = try await search.next()
        let rest = search
        return response { sink in
            var (search, piece) = (rest, first)
            while let found = piece {
                for entry in found {
                    sink.begin()
                    try await sink.write(document(entry))
                }
                piece = try await search.next()
            }
        }
    }
}
