import Foundation
import FoundationXML
import HaulModel
import Testing

@testable import HaulAPI

/// What the UWS face reads and writes, without a server.
@Suite struct UWSDocumentTests {
    private func text(_ write: (inout XMLWriter) -> Void) -> String {
        var xml = XMLWriter()
        write(&xml)
        return String(decoding: xml.take(), as: UTF8.self).split(separator: "\n", maxSplits: 1).last.map(String.init)
            ?? ""
    }

    @Test func escapes() {
        let hostile = "a<b>&\"'\u{0}\u{1}\u{B}\u{FFFE}]]>\r\n\té\u{1F600}"
        let inText = "a&lt;b&gt;&amp;\"'\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}]]&gt;&#13;\n\té\u{1F600}"
        let inAttribute =
            "a&lt;b>&amp;&quot;'\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}]]>&#13;&#10;&#9;é\u{1F600}"
        #expect(text { $0.element("e", ["k": hostile], hostile) } == "<e k=\"\(inAttribute)\">\(inText)</e>")
        #expect(
            text {
                $0.begin("a", ["x": "1"])
                $0.element("b")
                $0.begin("c")
                $0.end()
                $0.end()
                $0.end()
            } == "<a x=\"1\"><b/><c></c></a>")
    }

    /// Every scalar there is comes out as something that a parser of XML takes.
    @Test func everyScalar() throws {
        var scalars = String.UnicodeScalarView()
        for value in UInt32(0)...0x2FF { scalars.append(Unicode.Scalar(value) ?? "?") }
        for value in UInt32(0xD7F0)...0x1_0010 { if let scalar = Unicode.Scalar(value) { scalars.append(scalar) } }
        var xml = XMLWriter()
        xml.element("e", ["k": String(scalars)], String(scalars))
        let parser = XMLParser(data: Data(xml.take()))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
    }

    @Test(arguments: [
        ("2015", "2015-01-01T00:00:00.000Z"), ("2015-10", "2015-10-01T00:00:00.000Z"),
        ("20151026", "2015-10-26T00:00:00.000Z"), ("2015-10-26", "2015-10-26T00:00:00.000Z"),
        ("2015-10-26 09:00", "2015-10-26T09:00:00.000Z"), ("2015-10-26T09:00:01", "2015-10-26T09:00:01.000Z"),
        ("2015-10-26T09:00:01Z", "2015-10-26T09:00:01.000Z"), ("20151026T090001", "2015-10-26T09:00:01.000Z"),
        ("2015-10-26T09:00:01.123456", "2015-10-26T09:00:01.123Z"),
        ("2015-10-26T09:00:01.9Z", "2015-10-26T09:00:01.900Z"),
        ("2015-10-26T09:00:00+01:00", "2015-10-26T08:00:00.000Z"), ("2015-10-26 09", "2015-10-26T09:00:00.000Z"),
    ])
    func times(text: String, time: String) { #expect(Timestamp(uws: text)?.text == time) }

    @Test(arguments: [
        "", "x", "15", "2015-13-01", "2015-02-30", "2015-10-26T25:00", "2015-10-26T", "2015 09:00",
        "2015-10-26T09:00:01,",
        "99999999", "2015-10-26T09:00:00ZZ", "-2015", "2015-10-26T09:00:61", "0x7DF", "1e3", "20151026Z0",
        "2015-10-26T09:00:00.1234567890",
    ])
    func noTimes(text: String) { #expect(Timestamp(uws: text) == nil) }

    /// Each stage has a phase of its own.
    @Test func phases() {
        let phases = JobStage.allCases.map { UWSPhase($0) }
        #expect(Set(phases).count == phases.count)
        for stage in JobStage.allCases { #expect(UWSPhase(stage).stage == stage) }
        #expect(UWSPhase(text: "executing") == .executing && UWSPhase(text: "RUN") == nil)
        #expect(UWSPhase.held.stage == nil)
    }

    /// A minute at most, and only in a phase that ends by itself.
    @Test func waits() throws {
        func patience(_ wait: String, _ phase: UWSPhase = .executing, _ expected: String? = nil) throws -> Double? {
            var query = [(name: "wait", value: wait)]
            if let expected { query.append((name: "Phase", value: expected)) }
            return try UWSAPI.patience(query, phase)
        }
        #expect(try patience("0") == 0 && patience("7") == 7 && patience("60") == 60)
        for long in ["61", "1000000000", "-1"] { #expect(try patience(long) == 60) }
        #expect(try patience("7", .completed) == nil && patience("7", .executing, "QUEUED") == nil)
        #expect(try patience("7", .queued, "queued") == 7)
    }
}
