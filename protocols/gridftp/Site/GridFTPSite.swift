import Foundation
import HaulModel
import HaulProtocol

/// One side of a batch as this protocol sees it: where its server is, and what to show there.
struct GridFTPSite: Sendable {
    let name: String
    let address: Address
    /// The file with the X.509 proxy; nil for an anonymous login.
    let proxy: String?
    /// The directory with the authorities that servers are held against; nil for the library's own places.
    let authorities: String?
    /// The subject that the server must prove; nil for `/CN=host/HOST` or `/CN=HOST`.
    let subject: String?
    /// Where its data connections may go.
    let nodes: DataNodes
    private let gsi: String?

    static let standardPort = 2811

    /// - Parameters:
    ///   - settings: The worker's: `ca_dir` counts where the site says nothing.
    ///   - hosts: Where the worker may go; nil is anywhere.
    init(_ spec: SiteSpec, settings: [String: JSONValue], hosts: HostList? = nil) throws {
        name = spec.site
        guard let endpoint = spec.endpoints.first, let address = Address(endpoint, standardPort: Self.standardPort)
        else {
            throw BackendFailure(.invalid, "site \(spec.site) has no endpoint of the form host:port")
        }
        self.address = address
        proxy = spec.credentials["x509-proxy"]
        func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
        authorities = text(spec.options["ca_dir"]) ?? text(settings["ca_dir"]) ?? Environment.allowed["X509_CERT_DIR"]
        subject = text(spec.options["subject"])
        let nodes: [String]? = spec.options["data_nodes"]?.array?.compactMap(\.string)
        self.nodes = try DataNodes(nodes ?? [], hosts: hosts)
        gsi = proxy == nil ? nil : Self.tool()
        if proxy != nil, gsi == nil {
            throw BackendFailure(.backend, "haul-gsi is not beside haul-gridftp: a site with a proxy needs it")
        }
    }

    /// Whether the same server is asked with the same rights.
    func isSame(as other: GridFTPSite) -> Bool {
        address == other.address && nodes == other.nodes && subject == other.subject && authorities == other.authorities
            && Self.content(proxy) == Self.content(other.proxy)
    }

    func control() async throws -> Link {
        guard proxy != nil else { return try await .plain(address, on: .shared) }
        return try await .tool(command("control", address, subject), on: .shared)
    }

    /// A data connection to a port on which the server listens.
    func data(_ address: Address, sends: Bool) async throws -> Link {
        guard proxy != nil else { return try await .plain(address) }
        // Without a subject: our own, which the server has a delegated proxy of (DCAU A).
        return try await .tool(command(sends ? "send" : "receive", address, nil))
    }

    /// The subject that the proxy proves.
    func identity() async throws -> String? {
        guard let gsi, proxy != nil else { return nil }
        let child = try await Child.start(Command(executable: gsi, arguments: ["whoami"], environment: environment))
        var said = Data()
        while said.count < 1 << 16, let data = await child.output?.read() { said.append(data) }
        var complaint = Data()
        while complaint.count < 1 << 16, let data = await child.errors?.read() { complaint.append(data) }
        let status = await child.wait()
        guard status.isSuccess else {
            throw GSIComplaint.failure(status, String(decoding: complaint, as: UTF8.self))
        }
        return String(decoding: said.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private func command(_ mode: String, _ address: Address, _ subject: String?) -> Command {
        Command(
            executable: gsi ?? "", arguments: [mode, address.host, "\(address.port)"] + (subject.map { [$0] } ?? []),
            environment: environment, input: .pipe, output: .pipe, errors: .pipe)
    }

    /// What the library reads: the file's name, never what is in it.
    private var environment: [String: String] {
        var environment = Environment.allowed
        environment["X509_USER_PROXY"] = proxy
        environment["X509_CERT_DIR"] = authorities
        return environment
    }

    /// The tool that is built together with this program.
    private static func tool() -> String? {
        let here = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let path = ListingPath.child(ListingPath.parent(here).directory, "haul-gsi")
        return access(path, X_OK) == 0 ? path : ToolPath.find("haul-gsi")
    }

    private static func content(_ file: String?) -> Data? { file.flatMap { FileManager.default.contents(atPath: $0) } }
}
