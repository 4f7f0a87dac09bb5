public import HaulModel

/// A document that is written so often that it writes itself. What it says is what its `Encodable` says.
public protocol JSONWritable {
    func write(to writer: inout JSONWriter)
}

/// A document that is read so often that it reads itself. It takes what its `Decodable` takes.
public protocol JSONReadable {
    init(_ fields: JSONFields) throws(JSONFieldError)
}

extension Array: JSONWritable where Element: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.array { writer in for element in self { element.write(to: &writer) } }
    }
}
