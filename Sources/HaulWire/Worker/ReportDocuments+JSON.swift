public import HaulModel

extension ResultsRequest: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("results")
            writer.array { writer in for item in results { item.write(to: &writer) } }
        }
    }
}

extension ResultsRequest.Item: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("checksum", outcome.checksum)
            writer.field("element_id", elementID)
            writer.field("error_class", outcome.errorClass)
            writer.field("error_site", outcome.errorSite)
            writer.field("host", outcome.host)
            writer.field("job_id", jobID)
            writer.field("log", outcome.log)
            writer.field("reason", outcome.reason)
            writer.field("returncode", outcome.returncode)
            writer.field("timestamp", outcome.timestamp)
            writer.field("token", token)
            writer.field("transferred", outcome.transferred)
        }
    }
}

extension ResultsReply: JSONReadable {
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        results = []
        for item in try fields.objects("results") {
            results.append(Item(status: try item.integer("status"), detail: try item.optionalText("detail")))
        }
    }
}
