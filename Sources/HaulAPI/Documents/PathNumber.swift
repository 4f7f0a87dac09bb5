import HaulHTTP
import HaulModel

extension PathParameters {
    /// The number at `:name`. What is none names nothing: 404.
    func number(_ name: String) throws -> Int {
        guard let number = Int(id: self[name]) else { throw Problem.noNumber(self[name]) }
        return number
    }

    /// The number at `:name`, which may count from the end: `-1` is the last.
    func place(_ name: String) throws -> Int {
        let text = self[name]
        guard let number = Int(text), "\(number)" == text else { throw Problem.noNumber(text) }
        return number
    }
}
