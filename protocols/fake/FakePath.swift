import HaulModel

/// What a path asks for: its first word is the fault, the next ones its parameters, the rest is just a name.
enum FakePath: Equatable {
    case ok
    case sleep(seconds: Double)
    case fail(ErrorClass)
    case failUntil(attempt: Int, ErrorClass)
    case exit(code: Int32)
    case signal(Int32)
    case vanish(attempt: Int)
    case garbage
    case double
    case silent
    case stubborn
    case flood(mebibytes: Int)
    case tree(files: Int)
    case size(bytes: Int)
    case drip(files: Int, seconds: Double)

    init(_ path: String) {
        let words = path.split(separator: "/").map(String.init)
        func number(_ index: Int) -> Int? { words.count > index ? Int(words[index]) : nil }
        func errorClass(_ index: Int) -> ErrorClass {
            words.count > index ? ErrorClass(rawValue: words[index]) ?? .unknown : .unknown
        }
        func seconds(_ index: Int) -> Double {
            words.count > index ? min(max(0, Double(words[index]) ?? 1), 86_400) : 1
        }
        switch words.first ?? "" {
        case "sleep": self = .sleep(seconds: seconds(1))
        case "fail": self = .fail(errorClass(1))
        case "fail-until": self = .failUntil(attempt: number(1) ?? 2, errorClass(2))
        case "exit": self = .exit(code: Int32(truncatingIfNeeded: number(1) ?? 1))
        case "signal": self = .signal(Int32(truncatingIfNeeded: number(1) ?? 9))
        case "vanish": self = .vanish(attempt: number(1) ?? 2)
        case "garbage": self = .garbage
        case "double": self = .double
        case "silent": self = .silent
        case "stubborn": self = .stubborn
        case "flood": self = .flood(mebibytes: min(max(0, number(1) ?? 1), 1 << 20))
        case "tree": self = .tree(files: min(max(0, number(1) ?? 10), 100_000_000))
        case "size": self = .size(bytes: min(max(0, number(1) ?? 0), 1 << 50))
        case "drip": self = .drip(files: min(max(0, number(1) ?? 10), 1 << 20), seconds: seconds(2))
        default: self = .ok
        }
    }
}
