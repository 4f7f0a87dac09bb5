import Foundation
import HaulProtocol

/// A run of a program of this package to its end.
public struct ProgramRun: Sendable {
    /// As a shell would have it; -1 where it did not end in time and was killed.
    public var code: Int
    public var output: String
    public var errors: String

    public init(
        _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        atMost limit: Duration = .seconds(60)
    ) async throws {
        try await self.init(
            executable: Built.executable(program), arguments, input: input, environment: environment, atMost: limit)
    }

    /// - Parameters:
    ///   - executable: the path of any program.
    ///   - input: what it reads; nil is nothing.
    ///   - environment: what it has besides the usual.
    public init(
        executable: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        atMost limit: Duration = .seconds(60)
    ) async throws {
        let child = try await Child.start(
            Command(
                executable: executable, arguments: arguments,
                environment: Environment.allowed.merging(environment) { $1 }, input: input == nil ? .null : .pipe))
        if let input {
            child.input?.post(Data(input.utf8))
            child.input?.finish()
        }
        async let output = Self.text(child.output)
        async let errors = Self.text(child.errors)
        let status = await child.wait(atMost: limit)
        if status == nil { child.signal(SIGKILL) }
        self.output = await output
        self.errors = await errors
        code = status?.code ?? -1
    }

    private static func text(_ pipe: PipeReader?) async -> String {
        var data = Data()
        while let piece = await pipe?.read() { data += piece }
        return String(decoding: data, as: UTF8.self)
    }
}
