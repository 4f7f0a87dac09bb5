import HaulHTTP

extension PathParameters {
    /// The number at `:name`. What is none names nothing: 404.
    func number(_ name: String) throws -> Int {
        guard let number = Int(self[name]) else { throw Problem.noNumber(self[name]) }
        return number
    }
}
