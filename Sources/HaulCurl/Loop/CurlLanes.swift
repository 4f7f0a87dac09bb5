import CCurl
import HaulModel
import HaulProtocol

/// The requests that run and those that wait, in order for each pool and server; lives on the loop's thread only.
struct CurlLanes {
    struct Name: Hashable {
        let pool: ObjectIdentifier
        let server: String
    }

    private struct Lane {
        var running = 0
        var waiting: [CurlJob] = []
    }

    private static let spareHandles = 64

    private let multi: UnsafeMutableRawPointer?
    private var lanes: [Name: Lane] = [:]
    private var handles: [ObjectIdentifier: CurlHandle] = [:]
    /// Those of them whose bodies stream.
    private var streaming: [ObjectIdentifier: CurlHandle] = [:]
    /// Set up anew for each request; what one learnt of TLS sessions serves the next.
    private var spare: [CurlHandle] = []

    init(multi: UnsafeMutableRawPointer?) { self.multi = multi }

    mutating func add(_ job: CurlJob) {
        guard !job.isCancelled else { return job.finish(.failure(CancellationError())) }
        let lane = job.lane
        if lanes[lane, default: Lane()].running < job.pool.most {
            start(job)
        } else {
            lanes[lane, default: Lane()].waiting.append(job)
        }
    }

    mutating func cancel(_ job: CurlJob) {
        if let handle = handles.removeValue(forKey: ObjectIdentifier(job)) {
            // In the middle of a request the connection goes with it.
            streaming[ObjectIdentifier(job)] = nil
            curl_multi_remove_handle(multi, handle.easy)
            handle.end()
            left(job)
            job.finish(.failure(CancellationError()))
        } else if let index = lanes[job.lane]?.waiting.firstIndex(where: { $0 === job }) {
            lanes[job.lane]?.waiting.remove(at: index)
            job.finish(.failure(CancellationError()))
        } else {
            job.rememberCancel()
        }
    }

    mutating func goOn(_ job: CurlJob) { streaming[ObjectIdentifier(job)]?.goOn() }

    /// Hands on what came of the answers that stream.
    func flush() { for handle in streaming.values { handle.flush() } }

    /// Answers what ended.
    mutating func answer() {
        var result = CURLE_OK
        while let easy = haul_curl_ended(multi, &result) { ended(easy, result) }
    }

    mutating func end(_ failure: BackendFailure) {
        for handle in handles.values {
            curl_multi_remove_handle(multi, handle.easy)
            let job = handle.job
            handle.end()
            job?.finish(.failure(failure))
        }
        for job in lanes.values.flatMap(\.waiting) { job.finish(.failure(failure)) }
        (handles, streaming, lanes, spare) = ([:], [:], [:], [])
    }

    private mutating func start(_ job: CurlJob) {
        do throws(BackendFailure) {
            guard let handle = spare.popLast() ?? CurlHandle() else {
                throw BackendFailure(.backend, "libcurl has no memory for a request")
            }
            do throws(BackendFailure) {
                try handle.prepare(job)
                guard curl_multi_add_handle(multi, handle.easy) == CURLM_OK else {
                    throw BackendFailure(.backend, "libcurl does not take a request")
                }
            } catch {
                handle.end()
                throw error
            }
            handles[ObjectIdentifier(job)] = handle
            if job.flow != nil { streaming[ObjectIdentifier(job)] = handle }
            lanes[job.lane, default: Lane()].running += 1
        } catch {
            job.finish(.failure(error))
        }
    }

    private mutating func ended(_ easy: UnsafeMutableRawPointer, _ code: CURLcode) {
        guard let context = haul_curl_context(easy) else { return }
        let handle = Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
        guard let job = handle.job, handles.removeValue(forKey: ObjectIdentifier(job)) != nil else { return }
        streaming[ObjectIdentifier(job)] = nil
        let isAgain = handle.metClosedConnections(code) && job.freshen()
        let (response, isReusable) = (handle.response(code), handle.isReusable)
        curl_multi_remove_handle(multi, easy)
        handle.end()
        if isReusable, spare.count < Self.spareHandles { spare.append(handle) }
        if isAgain { lanes[job.lane]?.waiting.insert(job, at: 0) }
        left(job)
        if !isAgain { job.finish(.success(response)) }
    }

    /// A request is over: the next one's turn.
    private mutating func left(_ job: CurlJob) {
        let (lane, pool) = (job.lane, job.pool)
        lanes[lane]?.running -= 1
        while let one = lanes[lane], one.running < pool.most, let next = one.waiting.first {
            lanes[lane]?.waiting.removeFirst()
            start(next)
        }
        if let one = lanes[lane], one.running == 0, one.waiting.isEmpty { lanes[lane] = nil }
    }
}
