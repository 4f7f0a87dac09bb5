"""Drives the qdo face with requests: first as the example of qdo_webserver's own document does, then all of its API."""

import sys

import requests


def getpass():
    return "a good password"


# The example, line by line; getpass.getpass() and the base URL aside.

data = dict()
data['username'] = 'sjbailey'
data['password'] = getpass()

baseurl = sys.argv[1]
r = requests.post(baseurl+'/site/login', data)
qdo_authkey = r.cookies.get('qdo_authkey')
qdo_username = r.cookies.get('qdo_username')
assert r.status_code == 200 and qdo_authkey and qdo_username == 'sjbailey', r.text
assert qdo_authkey == r.json()['qdo_authkey'] and qdo_username == r.json()['qdo_username']
assert r.json()['duration'] > 0 and r.json()['expiration'].endswith('Z')

r = requests.get('{}/{}/queues/'.format(baseurl, data['username']), \
    cookies=dict(qdo_authkey=qdo_authkey, qdo_username=qdo_username))
assert r.status_code == 200 and r.json() == [], r.text

s = requests.Session()
r = s.post(baseurl+'/site/login', data)
r = s.get('{}/{}/queues/'.format(baseurl, data['username']))
assert r.status_code == 200 and r.json() == [], r.text

# The rest of the document, in the same session.


def call(method, path, expected=200, **more):
    answer = s.request(method, baseurl + path, **more)
    assert answer.status_code == expected, (method, path, answer.status_code, answer.text)
    return answer.json()


assert call('GET', '/site/login')['qdo_authkey'] == s.cookies.get('qdo_authkey')
info = call('GET', '/site/info')
assert info['sitename'] and all('queues' in host for host in info['hosts'].values()), info
assert call('PUT', '/sjbailey/queues/analysis', 201)['state'] == 'Active'
call('PUT', '/sjbailey/queues/analysis', 409)
assert [queue['name'] for queue in call('GET', '/users/sjbailey/queues/')] == ['analysis']
assert call('GET', '/sjbailey/queues/analysis')['ntasks'] == dict(Waiting=0, Pending=0, Running=0, Succeeded=0, Failed=0)

tasks = '/sjbailey/queues/analysis/tasks/'
one = call('POST', '/sjbailey/queues/analysis/addtask/', 201, data=dict(command='echo 1 && echo "2+2=4" é'))
assert one['task'] == 'echo 1 && echo "2+2=4" é' and one['state'] == 'Pending', one
two = call('POST', tasks, 201, json=dict(command='echo 2'))
many = call('POST', '/sjbailey/queues/analysis/addtasks/', 201, data=dict(commands=['a b', 'c', '[d]']))
assert [task['task'] for task in many] == ['a b', 'c', '[d]'], many
more = call('POST', '/sjbailey/queues/analysis/batchtasks/', 201, json=dict(commands=['e', 'f']))
assert [task['id'] for task in call('GET', tasks)] == [task['id'] for task in [one, two] + many + more]

popped = call('POST', '/sjbailey/queues/analysis/get')
assert popped['id'] == one['id'] and popped['state'] == 'Running', popped
done = call('PUT', tasks + popped['id'], data=dict(state='Succeeded', err=0, message='fine'))
assert (done['state'], done['exitcode'], done['err'], done['message']) == ('Succeeded', 0, 0, 'fine'), done
popped = call('POST', '/sjbailey/queues/analysis/poptask')
done = call('PUT', tasks + popped['id'], json=dict(state='Failed', err=12))
assert done == call('GET', tasks + popped['id']) and done['exitcode'] == 12, done
assert [task['id'] for task in call('GET', tasks, params=dict(state='Failed', exitcode=12))] == [two['id']]
call('POST', '/sjbailey/queues/analysis/get')
assert call('PUT', '/sjbailey/queues/analysis/recover')['ntasks']['Running'] == 0
assert call('PUT', '/sjbailey/queues/analysis/retry')['ntasks']['Failed'] == 0
assert call('PUT', '/sjbailey/queues/analysis/pause')['state'] == 'Paused'
assert call('POST', '/sjbailey/queues/analysis/get') is None
assert call('PUT', '/sjbailey/queues/analysis/resume')['state'] == 'Active'
call('POST', '/sjbailey/queues/analysis/launch', 202, data=dict(nworkers=2))
call('GET', '/somebody/queues/', 403)
call('DELETE', '/sjbailey/queues/analysis')
call('GET', '/sjbailey/queues/analysis', 404)

print('all is well')
