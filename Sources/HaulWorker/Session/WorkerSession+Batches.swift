import HaulModel
import HaulProtocol

/// The order to end an attempt that is on its way to a running batch.
struct PendingCancel: Sendable {
    var reason: String
    var keep: Bool
}

// Batches and slots: one is run by one backend in one slot. One that is nearly through takes more of its errand along, so
// that its backend is as busy at the end of a batch as in its middle.
extension WorkerSession {
    /// Slots that can take a batch, or more of theirs.
    var freeSlots: Int { shop.config.slots - runners.count + extendable.count }

    /// Starts waiting batches while slots are free.
    func startBatches() {
        var index = 0
        while end == nil, index < waiting.count {
            let batch = waiting[index]
            let mine = batch.elements.compactMap { held[$0.key.id] }
            if mine.isEmpty {
                waiting.remove(at: index)
            } else if runners.count < shop.config.slots {
                waiting.remove(at: index)
                start(batch, mine)
            } else if let number = extendable.first(where: { $0.value == batch.errand })?.key {
                waiting.remove(at: index)
                join(batch, mine, to: number)
            } else {
                index += 1
            }
        }
    }

    private func start(_ batch: Batch, _ mine: [AttemptReport]) {
        started += 1
        let number = started
        let runner = shop.runner(
            batch.errand, mine, settle: { [weak self] in await self?.ended($0, $1) },
            nearlyThrough: { [weak self] in await self?.nearlyThrough(number, batch.errand) })
        runners[number] = runner
        for report in mine { runnerOf[report.assignment.key.id] = number }
        log(
            "batch-start",
            [
                "batch": number, "job": batch.errand.jobID, "operation": batch.errand.operation.rawValue,
                "elements": mine.count,
            ])
        Task {
            await runner.run()
            over(number)
        }
    }

    private func over(_ number: Int) {
        runners[number] = nil
        extendable[number] = nil
        log("batch-end", ["batch": number])
        startBatches()
        changed()
    }

    private func nearlyThrough(_ number: Int, _ errand: Errand) {
        guard runners[number] != nil else { return }
        extendable[number] = errand
        startBatches()
        changed()
    }

    /// Gives a running batch more to do; what it does not take waits for a slot again.
    private func join(_ batch: Batch, _ mine: [AttemptReport], to number: Int) {
        extendable[number] = nil
        guard let runner = runners[number] else { return waiting.append(batch) }
        for report in mine {
            joining.updateValue(nil, forKey: report.assignment.key.id)
            runnerOf[report.assignment.key.id] = number
        }
        Task {
            let isTaken = await runner.extend(mine, of: batch.errand)
            var orders: [(id: String, order: PendingCancel)] = []
            for report in mine {
                let id = report.assignment.key.id
                if let order = joining.removeValue(forKey: id) ?? nil { orders.append((id, order)) }
                if !isTaken { runnerOf[id] = nil }
            }
            if isTaken {
                log("batch-extended", ["batch": number, "elements": mine.count])
            } else if let closing {
                for report in mine where held[report.assignment.key.id] != nil {
                    ended(report, .failed(.interrupted, closing))
                }
            } else {
                waiting.insert(batch, at: 0)
                startBatches()
            }
            for (id, order) in orders { cancel(id, reason: order.reason, keep: order.keep) }
            changed()
        }
    }
}
