import HaulCurl
import HaulModel
import HaulProtocol

/// A path of a job at a site, and the key that it is there.
///
/// S3 knows keys alone. What lies below `a/b/` makes `a/b` a directory, and a directory that is to be there while it is
/// empty is the object `a/b/` of no bytes, its marker, as S3's own console makes them.
struct Place: Sendable {
    /// S3's limit of a key.
    private static let longest = 1_024

    let location: Location
    /// The key of the file: nothing for the site's root.
    let key: [UInt8]

    /// - Throws: ``BackendFailure`` (`invalid`) for what no key can be.
    init(_ path: String, at site: Site) throws {
        try self.init(Location.checked(path), at: site)
    }

    init(_ location: Location, at site: Site) throws {
        self.location = location
        key = Array((site.prefix.segments + location.segments).joined(separator: [UInt8(ascii: "/")]))
        guard key.count < Self.longest else {
            throw BackendFailure(
                .invalid,
                "\(location.given): its key has \(key.count) bytes; S3 takes \(Self.longest), a directory's slash included"
            )
        }
    }

    /// A key as it stands in a bucket, whatever a job could name.
    init(key: [UInt8], location: Location) {
        self.key = key
        self.location = location
    }

    /// For messages, as the user wrote it.
    var shown: String { location.given }

    /// What all keys below the directory begin with, and the key of its marker; nothing for the bucket itself.
    var directoryKey: [UInt8] { key.isEmpty ? [] : key + [UInt8(ascii: "/")] }

    func parent(at site: Site) throws -> Place { try Place(location.parent, at: site) }

    /// The same name without the slash that asks for a directory.
    func asFile(at site: Site) throws -> Place {
        try Place(location.parent.child(location.segments.last ?? []), at: site)
    }
}
