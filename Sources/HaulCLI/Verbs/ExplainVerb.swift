import HaulWire

extension Verb {
    static let explain = Verb(
        name: "explain", summary: "why a job or an element is not further than it is", operands: "JOB [ELEMENT]",
        count: 1...2, completes: .job
    ) { invocation in
        var path = "/jobs/\(try invocation.id(0, "a job"))"
        if invocation.arguments.operands.count == 2 { path += "/elements/\(try invocation.id(1, "an element"))" }
        let bytes = try await invocation.server().get(path + "/explain")
        guard !invocation.isJSON else {
            await invocation.output.bytes(bytes + [0x0A])
            return .ok
        }
        let found = try ServerConnection.decode(ExplanationDocument.self, bytes)
        for blocker in found.blockers {
            let until = blocker.until.map { " until \($0)" } ?? ""
            await invocation.output.line(Printable.line("\(blocker.code): \(blocker.detail)\(until)"))
        }
        // What has ended waits for nothing.
        if found.blockers.contains(where: { $0.code == "ended" }) { return .ok }
        if let ahead = found.ahead { await invocation.output.line("ahead: \(ahead)") }
        await invocation.output.line(Printable.line("estimate: \(text(found.estimate))"))
        return .ok
    }

    private static func text(_ estimate: ExplanationDocument.Estimate?) -> String {
        guard let estimate else { return "none, nothing is known to go by" }
        let times = [estimate.starts.map { "starts \($0)" }, estimate.ends.map { "ends \($0)" }].compactMap(\.self)
        return "\(times.joined(separator: ", ")) (from \(estimate.basis))"
    }
}
