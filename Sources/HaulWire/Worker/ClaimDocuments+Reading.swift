public import HaulModel

extension ClaimedJob: JSONReadable {
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        id = try fields.integer("id")
        userID = try fields.integer("user_id")
        sourceSiteID = try fields.integer("src_siteid")
        destinationSiteID = try fields.optionalInteger("dst_siteid")
        sourcePath = try fields.text("src_filepath")
        destinationPath = try fields.optionalText("dst_filepath")
        type = try fields.integer("type")
        status = try fields.integer("status")
        options = try fields.values("extra_opts")
        priority = try fields.integer("priority")
        protocolValue = fields.value("protocol") ?? .null
        logUID = try fields.text("log_uid")
        timestamp = try fields.text("timestamp")
        queue = try fields.text("queue")
        maxTries = try fields.integer("max_tries")
        if let site = try fields.optionalObject("src_site") { source = try ClaimedSite(site) }
        if let site = try fields.optionalObject("dst_site") { destination = try ClaimedSite(site) }
        sourceCredentials = try fields.optionalText("src_credentials")
        destinationCredentials = try fields.optionalText("dst_credentials")
        elements = []
        let objects = try fields.objects("elements")
        elements.reserveCapacity(objects.count)
        for object in objects { elements.append(try ClaimedElement(object)) }
    }
}

extension ClaimedSite: JSONReadable {
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        id = try fields.integer("id")
        name = try fields.text("name")
        protocolName = try fields.text("protocol")
        endpoints = try fields.optionalTexts("endpoints") ?? []
        options = try fields.values("options")
        let shown = try fields.values("credentials").compactMapValues(\.string)
        credentials = shown.isEmpty ? nil : shown
        owned = fields.value("owned")?.bool
    }
}

extension ClaimedElement: JSONReadable {
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        id = try fields.integer("id")
        jobID = try fields.integer("job_id")
        sourcePath = try fields.text("src_filepath")
        destinationPath = try fields.optionalText("dst_filepath")
        size = try fields.integer("size")
        maxTries = try fields.integer("max_tries")
        attempts = try fields.integer("attempts")
        forgiven = try fields.integer("forgiven")
        type = try fields.integer("type")
        status = try fields.integer("status")
        timestamp = try fields.text("timestamp")
        token = try fields.text("token")
        attempt = try fields.integer("attempt")
        leaseUntil = try fields.text("lease_until")
    }
}
