import HaulAuth
import HaulEngine
import HaulModel

extension KnownWorker {
    /// Those of its sites that one who asks may use.
    func sites(openTo who: Principal, _ sites: SiteDirectory) -> [Int] {
        record.sites.filter { sites[$0]?.access.admits(who.siteUser) == true }
    }

    /// Whether one who asks is told of it: not of one that reaches closed sites alone. One that names none reaches all.
    func isOpen(to who: Principal, _ sites: SiteDirectory) -> Bool {
        who.isOperator || record.sites.isEmpty || !self.sites(openTo: who, sites).isEmpty
    }
}
