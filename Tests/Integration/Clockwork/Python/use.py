"""Clockwork's own client against haul: use.py HOST PORT USER TOKEN JOB OTHER (a job that has run, and somebody else's)."""
import sys

from clockwork_tools.client import ClockworkTools

host, port, user, token, job, other = sys.argv[1:]
client = ClockworkTools({"host": host, "port": int(port), "email": user, "clockwork_api_key": token})


def check(what, value):
    if not value:
        raise SystemExit("failed: " + what)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except Exception as error:
        check("%d, not %s" % (code, error), "code %d" % code in str(error))
    else:
        check("refused %s" % arguments, False)


jobs = client.jobs_list()
check("the list", [j["slurm"]["job_id"] for j in jobs] == [job])
check("its state", jobs[0]["slurm"]["job_state"] == "COMPLETED" and jobs[0]["slurm"]["exit_code"] == "0:0")
check("whose it is", jobs[0]["cw"]["mila_email_username"] == user)
check("by user", client.jobs_list(user=user) == jobs and client.jobs_list(user="nobody") == [])
check("by time", client.jobs_list(relative_time=3600) == jobs and client.jobs_list(relative_time=-3600) == [])
cluster = jobs[0]["slurm"]["cluster_name"]
check("by cluster", client.jobs_list(cluster_name=cluster) == jobs and client.jobs_list(cluster_name="no") == [])
one = client.jobs_one(job_id=job, cluster_name=cluster)
check("one", one == jobs[0] and client.jobs_one(job_id=job) == one)
check("none", client.jobs_one(job_id="999999") == {} and client.jobs_one(job_id=other) == {})
refused(400, client.jobs_one)
refused(400, client.jobs_list, relative_time="soon")
pairs = {"train_loss": 0.2, "valid_loss": 0.3, "nbr_dinosaurs": 10, "\u00fc\u4e2d": [None, {"a": True}]}
check("an update", client.jobs_user_dict_update(job_id=job, update_pairs=pairs) == pairs)
more = client.jobs_user_dict_update(job_id=job, cluster_name=cluster, update_pairs={"nbr_dinosaurs": 11})
check("another", more == {**pairs, "nbr_dinosaurs": 11})
check("kept", client.jobs_one(job_id=job)["user"] == more)
refused(403, client.jobs_user_dict_update, job_id=other, update_pairs=pairs)
refused(404, client.jobs_user_dict_update, job_id="999999", update_pairs=pairs)
refused(400, client.jobs_user_dict_update, update_pairs=pairs)
nodes = client.nodes_list()
check("nodes", len(nodes) == 1 and nodes[0]["slurm"]["name"] == one["slurm"]["nodes"])
name = nodes[0]["slurm"]["name"]
check("a node", client.nodes_one(name=name) == nodes[0])
check("no node", client.nodes_one(name="nobody") == {} and client.nodes_list(cluster_name="no") == [])
stranger = ClockworkTools({"host": host, "port": int(port), "email": user, "clockwork_api_key": "wrong"})
try:
    stranger.jobs_list()
except Exception as error:
    check("401", str(error) == "Server rejected call with code 401. Authorization error.")
print("all is well")
