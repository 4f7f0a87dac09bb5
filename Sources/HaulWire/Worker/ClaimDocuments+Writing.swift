public import HaulModel

extension ClaimedJob: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("dst_credentials")
            writer.value(destinationCredentials)
            writer.key("dst_filepath")
            writer.value(destinationPath)
            writer.key("dst_site")
            if let destination { destination.write(to: &writer) } else { writer.null() }
            writer.key("dst_siteid")
            writer.value(destinationSiteID)
            writer.key("elements")
            elements.write(to: &writer)
            writer.key("extra_opts")
            writer.value(options)
            writer.key("id")
            writer.value(id)
            writer.key("log_uid")
            writer.value(logUID)
            writer.key("max_tries")
            writer.value(maxTries)
            writer.key("priority")
            writer.value(priority)
            writer.key("protocol")
            writer.value(protocolValue)
            writer.key("queue")
            writer.value(queue)
            writer.key("src_credentials")
            writer.value(sourceCredentials)
            writer.key("src_filepath")
            writer.value(sourcePath)
            writer.key("src_site")
            if let source { source.write(to: &writer) } else { writer.null() }
            writer.key("src_siteid")
            writer.value(sourceSiteID)
            writer.key("status")
            writer.value(status)
            writer.key("timestamp")
            writer.value(timestamp)
            writer.key("type")
            writer.value(type)
            writer.key("user_id")
            writer.value(userID)
        }
    }
}

extension ClaimedSite: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            if let credentials {
                writer.key("credentials")
                writer.value(credentials.mapValues { JSONValue.string($0) })
            }
            writer.key("endpoints")
            writer.array { writer in for endpoint in endpoints { writer.value(endpoint) } }
            writer.key("id")
            writer.value(id)
            writer.key("name")
            writer.value(name)
            writer.key("options")
            writer.value(options)
            if let owned {
                writer.key("owned")
                writer.value(owned)
            }
            writer.key("protocol")
            writer.value(protocolName)
        }
    }
}

extension ClaimedElement: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("attempt")
            writer.value(attempt)
            writer.key("attempts")
            writer.value(attempts)
            writer.key("dst_filepath")
            writer.value(destinationPath)
            writer.key("forgiven")
            writer.value(forgiven)
            writer.key("id")
            writer.value(id)
            writer.key("job_id")
            writer.value(jobID)
            writer.key("lease_until")
            writer.value(leaseUntil)
            writer.key("max_tries")
            writer.value(maxTries)
            writer.key("size")
            writer.value(size)
            writer.key("src_filepath")
            writer.value(sourcePath)
            writer.key("status")
            writer.value(status)
            writer.key("timestamp")
            writer.value(timestamp)
            writer.key("token")
            writer.value(token)
            writer.key("type")
            writer.value(type)
        }
    }
}

extension ResultsReply: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("results")
            writer.array { writer in
                for item in results {
                    writer.object { writer in
                        if let detail = item.detail {
                            writer.key("detail")
                            writer.value(detail)
                        }
                        writer.key("status")
                        writer.value(item.status)
                    }
                }
            }
        }
    }
}
