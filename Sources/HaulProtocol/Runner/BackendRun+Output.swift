import Foundation
import HaulModel

// What the backend says: lines of the contract on stdout, free text on stderr.
extension BackendRun {
    func readOutput() async {
        var splitter = LineSplitter(limit: BackendLine.longestEntries)
        while verdict == nil, let data = await child.output?.read() {
            active = .now
            splitter.add(data)
            while verdict == nil, let piece = splitter.next() {
                switch piece {
                case .tooLong(let line): await refuse(line, WireError("is longer than 4 MiB"))
                case .line(let line):
                    do {
                        await take(try BackendLine(line: line))
                    } catch {
                        await refuse(line, error)
                    }
                }
            }
        }
        let rest = splitter.rest
        if verdict == nil, !rest.isEmpty { await refuse(rest, WireError("was cut off")) }
        if verdict != nil { child.output?.close() }
    }

    func readErrors() async {
        var splitter = LineSplitter(limit: 16 << 10)
        while let data = await child.errors?.read() {
            active = .now
            splitter.add(data)
            while let piece = splitter.next() {
                switch piece {
                case .line(let line): await takeError(line)
                case .tooLong(let line):
                    await takeError(line)
                    splitter = LineSplitter(limit: 16 << 10)
                }
            }
        }
        await takeError(splitter.rest)
    }

    private func takeError(_ line: Data) async {
        let text = String(decoding: line.prefix(16 << 10), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { return }
        lastError = String(redactor.redact(text).prefix(500))
        await tellRunning(text)
    }

    private func take(_ line: BackendLine) async {
        let id = line.id
        guard sent[id] != nil else {
            let what = finished.contains(id) ? "which has its result already" : "which was never sent"
            return await tellRunning("the backend spoke of element \(Self.quote(Data(id.utf8))), \(what)")
        }
        switch line {
        case .log(_, let text): await deliver(.log(id: id, text: redactor.redact(text)))
        case .progress(_, let progress):
            if sent[id]?.transferred != progress.transferred {
                sent[id]?.transferred = progress.transferred
                sent[id]?.progressed = ownTime()
            }
            await deliver(.progress(id: id, progress))
        case .entries(_, let directory, let entries):
            sent[id]?.progressed = ownTime()
            await deliver(.entries(id: id, directory: directory, entries))
        case .ask(_, let question):
            guard sent[id]?.isResting == false, batch.operation == .put else {
                return await tellRunning("the backend asked about element \(id) out of turn")
            }
            sent[id]?.isResting = true
            sent[id]?.isTimed = nil
            await deliver(.ask(id: id, question))
        case .answer(_, let answer):
            guard sent[id]?.isResting == false, batch.operation == .get else {
                return await tellRunning("the backend answered about element \(id) unasked")
            }
            sent[id]?.isResting = true
            sent[id]?.isTimed = nil
            await deliver(.answer(id: id, redacted(answer)))
        case .result(_, var result):
            result.reason = result.reason.map(redactor.redact)
            // An element that was ended says why it was ended, not that it was "cancelled".
            if let ending = sent[id]?.ending?.result, result.errorClass == .interrupted {
                result.errorClass = ending.errorClass
                result.reason = ending.reason
            }
            await settle(id, result)
        }
    }

    /// What a source failed with stands in logs, too, and is told to the other site's backend.
    private func redacted(_ answer: SourceAnswer) -> SourceAnswer {
        guard case .failed(var failure) = answer else { return answer }
        failure.reason = redactor.redact(failure.reason)
        return .failed(failure)
    }

    /// Fails the batch: what speaks another language is not listened to further.
    private func refuse(_ line: Data, _ error: any Error) async {
        let reason = "the backend broke the contract: a line \(error)"
        verdict = .failed(.backend, reason)
        await tellRunning("\(reason): \(Self.quote(line))")
        step(teardown.begin(at: .now))
    }

    /// The start of a line, with what a terminal or a log could stumble over escaped.
    static func quote(_ line: Data) -> String {
        let shown = String(decoding: line.prefix(200), as: UTF8.self).unicodeScalars
        let text = shown.map { $0.value < 32 || $0.value == 127 ? "\\u{\(String($0.value, radix: 16))}" : String($0) }
        return "\"\(text.joined())\"" + (line.count > 200 ? " (\(line.count) bytes)" : "")
    }
}
