import Foundation

/// `HAUL_FUZZ_PARSER=NAME haul-fuzz CORPUS... [-max_total_time=SECONDS]`: libFuzzer over one of our parsers; `make fuzz` runs
/// it over all. `haul-fuzz --names` prints their names.
@main struct HaulFuzz {
    static func main() {
        if CommandLine.arguments.contains("--names") { return print(Parser.all.map(\.name).joined(separator: "\n")) }
        var count = CommandLine.argc
        var words = CommandLine.unsafeArgv
        exit(runDriver(&count, &words, feed))
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ feed: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

private let parser: Parser = {
    let name = ProcessInfo.processInfo.environment["HAUL_FUZZ_PARSER"] ?? ""
    guard let parser = Parser.all.first(where: { $0.name == name }) else {
        FileHandle.standardError.write(
            Data("HAUL_FUZZ_PARSER must be one of \(Parser.all.map(\.name).joined(separator: ", "))\n".utf8))
        exit(2)
    }
    return parser
}()

/// The name is libFuzzer's.
@_cdecl("LLVMFuzzerTestOneInput")
public func feed(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try parser.feed(bytes.map { Data(bytes: $0, count: count) } ?? Data())
    } catch {
        fatalError("\(parser.name): \(error)")
    }
    return 0
}
