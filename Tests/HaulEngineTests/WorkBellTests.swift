import Testing

@testable import HaulEngine

/// A ring wakes few, and nobody sleeps through work.
@Suite(.timeLimit(.minutes(5))) struct WorkBellTests {
    /// Claims that park, and tell when they are woken.
    private struct Parked {
        let bell: WorkBell
        let woken: AsyncStream<Int>
        let tasks: [Task<Void, Never>]

        init(_ bell: WorkBell, _ count: Int) async {
            self.bell = bell
            let (stream, telling) = AsyncStream<Int>.makeStream()
            woken = stream
            let heard = bell.rings
            tasks = (0..<count).map { number in
                Task { if await bell.wait(after: heard, seconds: 600) { telling.yield(number) } }
            }
            while bell.parked < count { await Task.yield() }
        }

        func end() async {
            for task in tasks { task.cancel() }
            for task in tasks { await task.value }
        }
    }

    @Test func oneRingWakesOne() async {
        let bell = WorkBell()
        let parked = await Parked(bell, 100)
        var woken = parked.woken.makeAsyncIterator()
        bell.ring()
        _ = await woken.next()
        #expect(bell.parked == 99)
        bell.pass(heard: bell.rings, hasMore: false)
        #expect(bell.parked == 99, "nothing is left: nobody else is woken")
        await parked.end()
    }

    @Test func whatIsLeftWakesTheNext() async {
        let bell = WorkBell(width: 4)
        let parked = await Parked(bell, 100)
        var woken = parked.woken.makeAsyncIterator()
        bell.ring()
        var highest = 0
        // As if none of them could take it: all are asked, never more than four at once.
        for count in 1...100 {
            _ = await woken.next()
            highest = max(highest, 100 - bell.parked - (count - 1))
            bell.pass(heard: bell.rings, hasMore: true)
        }
        #expect(bell.parked == 0 && highest <= 4)
        await parked.end()
    }

    @Test func whatRingsDuringALookIsHeard() async {
        let bell = WorkBell(width: 1)
        let parked = await Parked(bell, 2)
        var woken = parked.woken.makeAsyncIterator()
        bell.ring()
        _ = await woken.next()
        let heard = bell.rings
        // The first one looks and sees nothing; then there is work, while none more may be woken.
        bell.ring()
        #expect(bell.parked == 1)
        bell.pass(heard: heard, hasMore: false)
        _ = await woken.next()
        #expect(bell.parked == 0)
        // Who looked before the ring does not park over it.
        #expect(await bell.wait(after: heard, seconds: 600))
        await parked.end()
    }

    @Test func aWaitEndsByItself() async {
        let bell = WorkBell()
        #expect(await bell.wait(after: bell.rings, seconds: 0.01) == false)
        #expect(await bell.wait(after: bell.rings, seconds: 0) == false)
        #expect(bell.parked == 0)
        let task = Task { await bell.wait(after: bell.rings, seconds: 600) }
        while bell.parked == 0 { await Task.yield() }
        task.cancel()
        #expect(await task.value == false)
        #expect(bell.parked == 0)
    }
}
