import Foundation

/// moto (PyPI) as an S3 service, out of the Python environment that `make venv` makes below the build folder. It checks
/// signatures and keeps objects in memory: a new start knows nothing of the one before.
public enum Moto {
    /// That environment's Python; nil where there is none above the folder of the program that runs.
    public static func python(above folder: String) -> String? {
        var place = URL(fileURLWithPath: folder)
        while place.path != "/" {
            let python = place.path + "/venv/bin/python"
            if FileManager.default.isExecutableFile(atPath: python) { return python }
            place.deleteLastPathComponent()
        }
        return nil
    }

    /// `python service.py PORT BUCKET KEYFILE`, where the file holds `ACCESS:SECRET`: makes the user, its key and the
    /// bucket, and from then on lets in what is signed with them alone.
    public static let program = """
        import sys
        from moto import settings
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.iam.models import iam_backends
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from moto.s3.models import s3_backends
        from werkzeug.serving import run_simple

        port, bucket, keys = sys.argv[1:]
        user = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].create_user("us-east-1", "haul", "/")
        key = user.create_access_key("AKIA")
        key.access_key_id, key.secret_access_key = open(keys).read().strip().split(":", 1)
        iam_backends[DEFAULT_ACCOUNT_ID]["aws"].put_user_policy(
            "haul", "all",
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}')
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(bucket, "us-east-1")
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        run_simple("127.0.0.1", int(port), DomainDispatcherApplication(create_backend_app), threaded=True)

        """
}
