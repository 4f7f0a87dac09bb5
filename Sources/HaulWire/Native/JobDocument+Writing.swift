public import HaulModel

extension JobDocument: JSONWritable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writeFields(to: &$0) }
    }

    /// The keys alone: other documents have them among their own.
    func writeFields(to writer: inout JSONWriter) {
        if let deadline {
            writer.key("deadline")
            writer.value(deadline)
        }
        if let destruction {
            writer.key("destruction")
            writer.value(destruction)
        }
        if let destinationPath {
            writer.key("dst_filepath")
            writer.value(destinationPath)
        }
        if let destinationSiteID {
            writer.key("dst_siteid")
            writer.value(destinationSiteID)
        }
        if let ended {
            writer.key("ended")
            writer.value(ended)
        }
        if let errorClass {
            writer.key("error_class")
            writer.value(errorClass)
        }
        if let executionDuration {
            writer.key("execution_duration")
            writer.value(executionDuration)
        }
        writer.key("extra_opts")
        writer.value(options)
        writer.key("id")
        writer.value(id)
        if let keep {
            writer.key("keep")
            writer.value(keep)
        }
        if let label {
            writer.key("label")
            writer.value(label)
        }
        writer.key("log_uid")
        writer.value(logUID)
        writer.key("max_tries")
        writer.value(maxTries)
        if let counts { counts.write(to: &writer) }
        writer.key("priority")
        writer.value(priority)
        writer.key("protocol")
        writer.value(protocolName)
        writer.key("queue")
        writer.value(queue)
        if sourceSiteID != Job.Place.nowhere.siteID {
            writer.key("src_filepath")
            writer.value(sourcePath)
            writer.key("src_siteid")
            writer.value(sourceSiteID)
        }
        if let started {
            writer.key("started")
            writer.value(started)
        }
        writer.key("status")
        writer.value(status)
        if let task {
            writer.key("task")
            writer.value(task)
        }
        writer.key("timestamp")
        writer.value(timestamp)
        writer.key("type")
        writer.value(type)
        writer.key("user_id")
        writer.value(userID)
        if let warnings {
            writer.key("warnings")
            writer.array { writer in for warning in warnings { writer.value(warning) } }
        }
    }
}

extension JobDocument.Counts {
    /// The keys alone: they stand among the job's own.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.key("num_cancelled")
        writer.value(cancelled)
        writer.key("num_done")
        writer.value(done)
        writer.key("num_elements")
        writer.value(elements)
        writer.key("num_failed")
        writer.value(failed)
        writer.key("num_new")
        writer.value(new)
        writer.key("num_running")
        writer.value(running)
        writer.key("num_submitted")
        writer.value(submitted)
    }
}
