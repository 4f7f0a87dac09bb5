import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// Moves a file's bytes from one end to the other through this process, with no more than a few pieces in memory.
struct Stream: Sendable {
    let size: Int
    /// When the source was changed last, in seconds since 1970; nil where it does not say.
    var modified: Int?
    let report: ElementReport

    private enum Input { case download(Download), file(OpenFile) }
    private enum Output { case upload(CurlStream), file(OpenFile), nothing }

    /// - Parameters:
    ///   - target: Nil only reads (to compute a checksum).
    ///   - hash: Is given every byte that passes.
    func run(from source: Place, to target: Place?, onlyIfMissing: Bool = false, hash: StreamHash?) async throws {
        let output = try await open(target, onlyIfMissing)
        var start = 0
        let input: Input
        switch (source, output) {
        case (.remote(let server, let location), .file(let part)):
            let rest = Resumption(server: server, location: location, size: size, modified: modified, report: report)
            let (download, offset) = try await rest.begin(part, hash: hash)
            (input, start) = (.download(download), offset)
        case (.remote(let server, let location), _):
            input = .download(Download(server, location, size: size) { [report] in report.log($0) })
        case (.local(let file), _): input = .file(try await file.open(writing: false))
        }
        try await withTaskCancellationHandler {
            do {
                try await pump(input, output, target?.shown ?? "", from: start, hash: hash)
            } catch {
                if case .download(let download) = input { await download.abort() }
                if case .upload(let upload) = output { upload.abort() }
                // What is left of the connection is over before anybody cleans up behind it.
                if case .upload(let upload) = output { _ = await upload.finish() }
                throw error
            }
        } onCancel: {
            if case .download(let download) = input { Task { await download.abort() } }
            if case .upload(let upload) = output { upload.abort() }
        }
    }

    private func open(_ target: Place?, _ onlyIfMissing: Bool) async throws -> Output {
        switch target {
        case .remote(let server, let location):
            let request = server.request(
                .put(onlyIfMissing: onlyIfMissing), location, body: .stream(length: size))
            return .upload(
                try await CurlStream.start(request, tool: server.curl.tool, scratch: server.curl.scratch))
        case .local(let file): return .file(try await file.open(writing: true))
        case nil: return .nothing
        }
    }

    private func pump(
        _ input: Input, _ output: Output, _ target: String, from start: Int, hash: StreamHash?
    ) async throws {
        var moved = start
        while let data = try await next(input) {
            if let hash { data.withUnsafeBytes { hash.update($0) } }
            moved += data.count
            guard moved <= size else {
                throw BackendFailure(.interrupted, "the source grew past its \(size) bytes while it was read")
            }
            switch output {
            case .upload(let upload):
                guard await upload.write(data) else { throw refused(await upload.finish(), target) }
            case .file(let file): try await file.write(data)
            case .nothing: continue
            }
            report.progress(transferred: moved, total: size)
        }
        guard moved == size else {
            throw BackendFailure(.interrupted, "the source ended after \(moved) of \(size) bytes")
        }
        if case .upload(let upload) = output {
            let response = await upload.finish()
            try Task.checkCancellation()
            guard response.isSuccess else { throw refused(response, target) }
        }
        if case .nothing = output { return }
        report.progress(transferred: moved, total: size)
    }

    private func next(_ input: Input) async throws -> Data? {
        try Task.checkCancellation()
        switch input {
        case .download(let download): return try await download.next()
        case .file(let file): return try await file.read()
        }
    }

    private func refused(_ response: HTTPResponse, _ target: String) -> any Error {
        UploadFailure(status: response.status, failure: response.failure("PUT \(target)"))
    }
}

/// A PUT that failed. Where the server refused it, it has not touched what is there.
struct UploadFailure: Error {
    let status: Int
    let failure: BackendFailure

    var wasRefused: Bool { (400..<500).contains(status) || status == 501 }
}
