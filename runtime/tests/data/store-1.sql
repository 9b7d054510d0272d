BEGIN TRANSACTION;
CREATE TABLE cache (
    key BLOB PRIMARY KEY, outputs TEXT NOT NULL, run TEXT NOT NULL, node TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "cache" VALUES(X'2952C477E8CA59818118799E385DDF4A5FAB9D2F62E040128CCDAE97DF1F2E5F','[{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}]','1qe5wbz9','second');
INSERT INTO "cache" VALUES(X'3D5C34D10A572DCD5C2A39062B2F61355EE808338D457127C4365581511363A5','[{"hash":"b748b4ebf53795686930b718fd46066df65694e910c9e647cd56c2b081b95732","size":1,"kind":"value","value":6}]','1qe5wdc2','expression');
INSERT INTO "cache" VALUES(X'97C0D7815B6DDAB91496175EE3BDFC9EAE33B5C7C3B66A16CD518BF17BFB8630','[{"hash":"58d6fd3dc609068615d66b6a2616cce521e6bd49bbcd7854e3f2573b142c6637","size":1,"kind":"value","value":3}]','1qe5wbz9','total');
INSERT INTO "cache" VALUES(X'BF74F66DEF023494A2876F2A8D63CE59F1E24E72D10626809DD17BD74FF45EDB','[{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}]','1qe5wbz9','first');
INSERT INTO "cache" VALUES(X'D275ABEF0176850C7A731630DAB206B32F8AE57D4009091639E6CA6C6B24262A','[{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}]','1qe5wbz9','expression');
INSERT INTO "cache" VALUES(X'E86AB68872521D856C4B65117CA514D70277A4BBC3ADB74256AD324D0A7C5174','[{"hash":"b3372b584dc0df6ce757fa43f459ca1f0c4180a08762cbfa41d022ca24f63d9f","size":1,"kind":"value","value":5}]','1qe5wdc2','first');
CREATE TABLE content (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL);
INSERT INTO "content" VALUES(X'D63BD9A826AF91C1FEA371965A64E11EE20F13E46B5F52C59901136605B3A487',X'31');
INSERT INTO "content" VALUES(X'813E9B729141E7F385AFA0A2D0DF3E6C3789E427FFE4AEEF566A565BC8F2FE3D',X'32');
INSERT INTO "content" VALUES(X'58D6FD3DC609068615D66B6A2616CCE521E6BD49BBCD7854E3F2573B142C6637',X'33');
INSERT INTO "content" VALUES(X'B3372B584DC0DF6CE757FA43F459CA1F0C4180A08762CBFA41D022CA24F63D9F',X'35');
INSERT INTO "content" VALUES(X'B748B4EBF53795686930B718FD46066DF65694E910C9E647CD56C2B081B95732',X'36');
CREATE TABLE dag (hash BLOB PRIMARY KEY, json TEXT NOT NULL);
INSERT INTO "dag" VALUES(X'5B80AF5215FE116EBD1478136870749BCB01FB39C9C5F99D5389C56871AA2DD3','{
"format": "flow-dag/1",
"workflow": "old.sum",
"parameters": [
{"name":"start","type":"Int","default":1,"value":1}
],
"nodes": [
{"id":"first","kind":"task","op":{"name":"std.debug.noop","version":1,"signature":"bf2a37b649d96dfffccdc52a47e594670c599b04bec24631971204eb77bbd41b","place":"native"},"inputs":{"value":{"parameter":"start"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"expression","kind":"expression","expression":[{"is":{"parameter":"a"},"type":"Int"},{"is":{"literal":1},"type":"Int"},{"is":{"call":["add",[0,1]]},"type":"Int"}],"inputs":{"a":{"port":"first.value"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"second","kind":"task","op":{"name":"std.debug.sleep","version":1,"signature":"f67388a216dd5e66ce7cbd7e61512207aaa7efd5b1ffdc506e2a46df14f35fea","place":"native"},"inputs":{"value":{"port":"expression.value"},"time":{"constant":{"duration":"0s"}}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"total","kind":"expression","expression":[{"is":{"parameter":"a"},"type":"Int"},{"is":{"parameter":"b"},"type":"Int"},{"is":{"call":["add",[0,1]]},"type":"Int"}],"inputs":{"a":{"port":"second.value"},"b":{"port":"first.value"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true}
],
"outputs": [
{"name":"total","type":"Int","input":{"port":"total.value"}}
],
"origin": {"file":"old.flow","source":"8cfc944bfdb9d8095985e902380537daea421abe60d70d31a34af2e8f5d2de7a","spans":[[78,95],[125,134],[113,139],[152,166]]}
}
');
INSERT INTO "dag" VALUES(X'1E83D6712CA9626E7F988B21C8C627B2C15108D0EEA4183FCEACDE2EC14C4014','{
"format": "flow-dag/1",
"workflow": "old.broken",
"parameters": [
{"name":"start","type":"Int","default":1,"value":1}
],
"nodes": [
{"id":"first","kind":"task","op":{"name":"std.debug.noop","version":1,"signature":"bf2a37b649d96dfffccdc52a47e594670c599b04bec24631971204eb77bbd41b","place":"native"},"inputs":{"value":{"parameter":"start"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"expression","kind":"expression","expression":[{"is":{"parameter":"a"},"type":"Int"},{"is":{"literal":1},"type":"Int"},{"is":{"call":["add",[0,1]]},"type":"Int"}],"inputs":{"a":{"port":"first.value"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"second","kind":"task","op":{"name":"std.debug.fail","version":1,"signature":"8840becccb3376ccdcfa5f95ffec90d523b304a1f337232621be16e2e0824663","place":"native"},"inputs":{"value":{"port":"expression.value"},"times":{"constant":9}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"noop","kind":"task","op":{"name":"std.debug.noop","version":1,"signature":"bf2a37b649d96dfffccdc52a47e594670c599b04bec24631971204eb77bbd41b","place":"native"},"inputs":{"value":{"port":"second.value"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true}
],
"outputs": [
{"name":"total","type":"Int","input":{"port":"noop.value"}}
],
"origin": {"file":"old.flow","source":"8cfc944bfdb9d8095985e902380537daea421abe60d70d31a34af2e8f5d2de7a","spans":[[237,254],[283,292],[272,296],[309,327]]}
}
');
INSERT INTO "dag" VALUES(X'1004D8D98022C68A24C9E0F4D71CBA3525D32F535B53A7ADC2BDBCD7D471F7ED','{
"format": "flow-dag/1",
"workflow": "old.slow",
"parameters": [
{"name":"start","type":"Int","default":5,"value":5}
],
"nodes": [
{"id":"first","kind":"task","op":{"name":"std.debug.noop","version":1,"signature":"bf2a37b649d96dfffccdc52a47e594670c599b04bec24631971204eb77bbd41b","place":"native"},"inputs":{"value":{"parameter":"start"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"expression","kind":"expression","expression":[{"is":{"parameter":"a"},"type":"Int"},{"is":{"literal":1},"type":"Int"},{"is":{"call":["add",[0,1]]},"type":"Int"}],"inputs":{"a":{"port":"first.value"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"second","kind":"task","op":{"name":"std.debug.sleep","version":1,"signature":"f67388a216dd5e66ce7cbd7e61512207aaa7efd5b1ffdc506e2a46df14f35fea","place":"native"},"inputs":{"value":{"port":"expression.value"},"time":{"constant":{"duration":"2s"}}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true},
{"id":"noop","kind":"task","op":{"name":"std.debug.noop","version":1,"signature":"bf2a37b649d96dfffccdc52a47e594670c599b04bec24631971204eb77bbd41b","place":"native"},"inputs":{"value":{"port":"second.value"}},"outputs":[{"name":"value","type":"Int"}],"deterministic":true}
],
"outputs": [
{"name":"total","type":"Int","input":{"port":"noop.value"}}
],
"origin": {"file":"old.flow","source":"8cfc944bfdb9d8095985e902380537daea421abe60d70d31a34af2e8f5d2de7a","spans":[[396,413],[443,452],[431,457],[470,488]]}
}
');
CREATE TABLE event (
    run TEXT NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, node TEXT, attempt INTEGER NOT NULL,
    kind TEXT NOT NULL, time INTEGER NOT NULL, data TEXT,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
INSERT INTO "event" VALUES('1qe5wbz9',1,1,NULL,0,'run.started',1795221335017317,'{"workflow":"old.sum","nodes":4,"resumed":false}');
INSERT INTO "event" VALUES('1qe5wbz9',2,1,'first',1,'node.ready',1795221335017319,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',3,1,'first',1,'node.running',1795221335017343,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',4,1,'first',1,'node.finishing',1795221335060861,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',5,1,'expression',1,'node.ready',1795221335060862,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',6,1,'first',1,'node.finished',1795221335060890,'{"outputs":{"value":{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}},"seconds":6.68e-6}');
INSERT INTO "event" VALUES('1qe5wbz9',7,1,'expression',1,'node.running',1795221335060939,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',8,1,'expression',1,'node.finishing',1795221335060957,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',9,1,'second',1,'node.ready',1795221335060958,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',10,1,'expression',1,'node.finished',1795221335060961,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}},"seconds":0.000016615}');
INSERT INTO "event" VALUES('1qe5wbz9',11,1,'second',1,'node.running',1795221335060967,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',12,1,'second',1,'node.finishing',1795221335076120,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',13,1,'total',1,'node.ready',1795221335076121,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',14,1,'second',1,'node.finished',1795221335076142,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}},"seconds":9.514e-6}');
INSERT INTO "event" VALUES('1qe5wbz9',15,1,'total',1,'node.running',1795221335076194,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',16,1,'total',1,'node.finishing',1795221335076214,NULL);
INSERT INTO "event" VALUES('1qe5wbz9',17,1,'total',1,'node.finished',1795221335076217,'{"outputs":{"value":{"hash":"58d6fd3dc609068615d66b6a2616cce521e6bd49bbcd7854e3f2573b142c6637","size":1,"kind":"value","value":3}},"seconds":0.000017767}');
INSERT INTO "event" VALUES('1qe5wbz9',18,1,NULL,0,'run.finished',1795221335076224,'{"status":"finished","outputs":{"total":3},"nodes":{"total":4,"finished":4,"cached":0,"failed":0,"cancelled":0,"pending":0},"seconds":0.058917856}');
INSERT INTO "event" VALUES('1qe5wcca',1,1,NULL,0,'run.started',1795221335433488,'{"workflow":"old.sum","nodes":4,"resumed":false}');
INSERT INTO "event" VALUES('1qe5wcca',2,1,'first',1,'node.ready',1795221335433496,NULL);
INSERT INTO "event" VALUES('1qe5wcca',3,1,'expression',1,'node.ready',1795221335433546,NULL);
INSERT INTO "event" VALUES('1qe5wcca',4,1,'first',1,'node.cached',1795221335433556,'{"outputs":{"value":{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}}}');
INSERT INTO "event" VALUES('1qe5wcca',5,1,'second',1,'node.ready',1795221335433564,NULL);
INSERT INTO "event" VALUES('1qe5wcca',6,1,'expression',1,'node.cached',1795221335433567,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}}}');
INSERT INTO "event" VALUES('1qe5wcca',7,1,'total',1,'node.ready',1795221335433573,NULL);
INSERT INTO "event" VALUES('1qe5wcca',8,1,'second',1,'node.cached',1795221335433575,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}}}');
INSERT INTO "event" VALUES('1qe5wcca',9,1,'total',1,'node.cached',1795221335433584,'{"outputs":{"value":{"hash":"58d6fd3dc609068615d66b6a2616cce521e6bd49bbcd7854e3f2573b142c6637","size":1,"kind":"value","value":3}}}');
INSERT INTO "event" VALUES('1qe5wcca',10,1,NULL,0,'run.finished',1795221335433590,'{"status":"finished","outputs":{"total":3},"nodes":{"total":4,"finished":4,"cached":4,"failed":0,"cancelled":0,"pending":0},"seconds":0.000105437}');
INSERT INTO "event" VALUES('1qe5wckx',1,1,NULL,0,'run.started',1795221335677282,'{"workflow":"old.broken","nodes":4,"resumed":false}');
INSERT INTO "event" VALUES('1qe5wckx',2,1,'first',1,'node.ready',1795221335677284,NULL);
INSERT INTO "event" VALUES('1qe5wckx',3,1,'expression',1,'node.ready',1795221335677328,NULL);
INSERT INTO "event" VALUES('1qe5wckx',4,1,'first',1,'node.cached',1795221335677336,'{"outputs":{"value":{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}}}');
INSERT INTO "event" VALUES('1qe5wckx',5,1,'second',1,'node.ready',1795221335677345,NULL);
INSERT INTO "event" VALUES('1qe5wckx',6,1,'expression',1,'node.cached',1795221335677348,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}}}');
INSERT INTO "event" VALUES('1qe5wckx',7,1,'second',1,'node.running',1795221335677352,NULL);
INSERT INTO "event" VALUES('1qe5wckx',8,1,'second',1,'node.failed',1795221335733351,'{"message":"attempt 1 fails, as the first 9 shall"}');
INSERT INTO "event" VALUES('1qe5wckx',9,1,'noop',1,'node.cancelled',1795221335733352,'{"because":"second"}');
INSERT INTO "event" VALUES('1qe5wckx',10,1,NULL,0,'run.finished',1795221335744837,'{"status":"failed","outputs":{},"nodes":{"total":4,"finished":2,"cached":2,"failed":1,"cancelled":1,"pending":0},"seconds":0.06756357}');
INSERT INTO "event" VALUES('1qe5wdc2',1,1,NULL,0,'run.started',1795221336450283,'{"workflow":"old.slow","nodes":4,"resumed":false}');
INSERT INTO "event" VALUES('1qe5wdc2',2,1,'first',1,'node.ready',1795221336450285,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',3,1,'first',1,'node.running',1795221336450308,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',4,1,'first',1,'node.finishing',1795221336512991,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',5,1,'expression',1,'node.ready',1795221336512992,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',6,1,'first',1,'node.finished',1795221336513008,'{"outputs":{"value":{"hash":"b3372b584dc0df6ce757fa43f459ca1f0c4180a08762cbfa41d022ca24f63d9f","size":1,"kind":"value","value":5}},"seconds":6.329e-6}');
INSERT INTO "event" VALUES('1qe5wdc2',7,1,'expression',1,'node.running',1795221336513056,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',8,1,'expression',1,'node.finishing',1795221336513069,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',9,1,'second',1,'node.ready',1795221336513070,NULL);
INSERT INTO "event" VALUES('1qe5wdc2',10,1,'expression',1,'node.finished',1795221336513074,'{"outputs":{"value":{"hash":"b748b4ebf53795686930b718fd46066df65694e910c9e647cd56c2b081b95732","size":1,"kind":"value","value":6}},"seconds":0.000010856}');
INSERT INTO "event" VALUES('1qe5wdc2',11,1,'second',1,'node.running',1795221336513080,NULL);
CREATE TABLE file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, inode INTEGER NOT NULL,
    hash BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE node (
    run TEXT NOT NULL, node TEXT NOT NULL, state TEXT NOT NULL, cached INTEGER NOT NULL, attempt INTEGER NOT NULL,
    started INTEGER, ended INTEGER, data TEXT,
    PRIMARY KEY (run, node)
) WITHOUT ROWID;
INSERT INTO "node" VALUES('1qe5wbz9','expression','finished',0,1,1795221335060939,1795221335060961,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}},"seconds":0.000016615}');
INSERT INTO "node" VALUES('1qe5wbz9','first','finished',0,1,1795221335017343,1795221335060890,'{"outputs":{"value":{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}},"seconds":6.68e-6}');
INSERT INTO "node" VALUES('1qe5wbz9','second','finished',0,1,1795221335060967,1795221335076142,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}},"seconds":9.514e-6}');
INSERT INTO "node" VALUES('1qe5wbz9','total','finished',0,1,1795221335076194,1795221335076217,'{"outputs":{"value":{"hash":"58d6fd3dc609068615d66b6a2616cce521e6bd49bbcd7854e3f2573b142c6637","size":1,"kind":"value","value":3}},"seconds":0.000017767}');
INSERT INTO "node" VALUES('1qe5wcca','expression','finished',1,1,NULL,1795221335433567,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}}}');
INSERT INTO "node" VALUES('1qe5wcca','first','finished',1,1,NULL,1795221335433556,'{"outputs":{"value":{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}}}');
INSERT INTO "node" VALUES('1qe5wcca','second','finished',1,1,NULL,1795221335433575,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}}}');
INSERT INTO "node" VALUES('1qe5wcca','total','finished',1,1,NULL,1795221335433584,'{"outputs":{"value":{"hash":"58d6fd3dc609068615d66b6a2616cce521e6bd49bbcd7854e3f2573b142c6637","size":1,"kind":"value","value":3}}}');
INSERT INTO "node" VALUES('1qe5wckx','expression','finished',1,1,NULL,1795221335677348,'{"outputs":{"value":{"hash":"813e9b729141e7f385afa0a2d0df3e6c3789e427ffe4aeef566a565bc8f2fe3d","size":1,"kind":"value","value":2}}}');
INSERT INTO "node" VALUES('1qe5wckx','first','finished',1,1,NULL,1795221335677336,'{"outputs":{"value":{"hash":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","size":1,"kind":"value","value":1}}}');
INSERT INTO "node" VALUES('1qe5wckx','noop','cancelled',0,1,NULL,1795221335733352,'{"because":"second"}');
INSERT INTO "node" VALUES('1qe5wckx','second','failed',0,1,1795221335677352,1795221335733351,'{"message":"attempt 1 fails, as the first 9 shall"}');
INSERT INTO "node" VALUES('1qe5wdc2','expression','finished',0,1,1795221336513056,1795221336513074,'{"outputs":{"value":{"hash":"b748b4ebf53795686930b718fd46066df65694e910c9e647cd56c2b081b95732","size":1,"kind":"value","value":6}},"seconds":0.000010856}');
INSERT INTO "node" VALUES('1qe5wdc2','first','finished',0,1,1795221336450308,1795221336513008,'{"outputs":{"value":{"hash":"b3372b584dc0df6ce757fa43f459ca1f0c4180a08762cbfa41d022ca24f63d9f","size":1,"kind":"value","value":5}},"seconds":6.329e-6}');
INSERT INTO "node" VALUES('1qe5wdc2','second','running',0,1,1795221336513080,NULL,NULL);
CREATE TABLE run (
    id TEXT PRIMARY KEY, workflow TEXT NOT NULL, dag BLOB NOT NULL, nodes INTEGER NOT NULL,
    epoch INTEGER NOT NULL, status TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER, data TEXT
) WITHOUT ROWID;
INSERT INTO "run" VALUES('1qe5wbz9','old.sum',X'5B80AF5215FE116EBD1478136870749BCB01FB39C9C5F99D5389C56871AA2DD3',4,1,'finished',1795221335017317,1795221335076224,'{"status":"finished","outputs":{"total":3},"nodes":{"total":4,"finished":4,"cached":0,"failed":0,"cancelled":0,"pending":0},"seconds":0.058917856}');
INSERT INTO "run" VALUES('1qe5wcca','old.sum',X'5B80AF5215FE116EBD1478136870749BCB01FB39C9C5F99D5389C56871AA2DD3',4,1,'finished',1795221335433488,1795221335433590,'{"status":"finished","outputs":{"total":3},"nodes":{"total":4,"finished":4,"cached":4,"failed":0,"cancelled":0,"pending":0},"seconds":0.000105437}');
INSERT INTO "run" VALUES('1qe5wckx','old.broken',X'1E83D6712CA9626E7F988B21C8C627B2C15108D0EEA4183FCEACDE2EC14C4014',4,1,'failed',1795221335677282,1795221335744837,'{"status":"failed","outputs":{},"nodes":{"total":4,"finished":2,"cached":2,"failed":1,"cancelled":1,"pending":0},"seconds":0.06756357}');
INSERT INTO "run" VALUES('1qe5wdc2','old.slow',X'1004D8D98022C68A24C9E0F4D71CBA3525D32F535B53A7ADC2BDBCD7D471F7ED',4,1,'running',1795221336450283,NULL,NULL);
COMMIT;
PRAGMA application_id = 1718382455;
PRAGMA user_version = 1;
