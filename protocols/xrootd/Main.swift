import HaulProtocol

@main
struct Main {
    static func main() async { await BackendMain.run(XRootDBackend.self) }
}
