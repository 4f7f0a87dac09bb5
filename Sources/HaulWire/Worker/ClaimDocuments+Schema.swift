extension ClaimedJob: Documented {
    public static let schema = Schema.object(
        "ClaimedJob",
        [
            "id": .count, "user_id": .count, "src_siteid": .count, "dst_siteid": .count.orNull, "src_filepath": .text,
            "dst_filepath": .text.orNull, "type": .count, "status": .count, "extra_opts": .values,
            "priority": .integer(0...9), "protocol": .any(of: [.count, .text]), "log_uid": .text, "timestamp": .time,
            "queue": .text, "max_tries": .count, "src_site": ClaimedSite.schema.orNull,
            "dst_site": ClaimedSite.schema.orNull, "src_credentials": .text.orNull, "dst_credentials": .text.orNull,
            "elements": .list(of: ClaimedElement.schema),
        ])
}

extension ClaimedSite: Documented {
    public static let schema = Schema.object(
        "ClaimedSite",
        [
            "id": .count, "name": .text, "protocol": .text, "endpoints": Schema.list(of: .text).about("HOST:PORT"),
            "options": .values,
            "owned?": .flag.about("A user made it"),
            "credentials?": Schema.map(of: .text).about("Kinds that the job's user shows there, and which by now"),
        ])
}

extension ClaimedElement: Documented {
    public static let schema = Schema.object(
        "ClaimedElement",
        [
            "id": .count, "job_id": .count, "src_filepath": .text, "dst_filepath": .text.orNull,
            "size": .count.about("Bytes; 0 until known"), "max_tries": .count,
            "attempts": .count.about("Attempts that ended before"),
            "forgiven": .count.about("Of those, the ones that cost no try"), "type": .count, "status": .count,
            "timestamp": .time, "token": .text.about("Proves the lease"), "attempt": .count, "lease_until": .time,
        ])
}
